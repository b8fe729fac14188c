import NIOCore
import Testing

@testable import StreamMux

@Suite("Conversations of two engines")
struct ConversationTests {
  @Test("a request and its answer take one frame each")
  func unary() throws {
    var pair = try PairOfEngines.established()
    let framesBefore = pair.engines.dialler.figures.framesSent.data
    let key = try pair.engines.dialler.open(StreamOpening(trafficClass: .append, group: 7), now: pair.now)
    pair.engines.dialler.write(ByteBuffer(string: "request"), to: key)
    pair.engines.dialler.finish(key)
    #expect(!pair.engines.dialler.hasReachedWire(key))
    pair.run()
    #expect(pair.engines.dialler.hasReachedWire(key))
    #expect(pair.engines.dialler.figures.framesSent.data == framesBefore + 1)

    let arrived = pair.take(.acceptor)
    guard case .opened(let peerKey, let opening)? = arrived.first else {
      Issue.record("no stream was opened: \(arrived)")
      return
    }
    #expect(opening == StreamOpening(trafficClass: .append, group: 7))
    #expect(arrived.dropFirst().map(summary) == ["data \(peerKey) 7", "finished(\(peerKey))"])

    pair.engines.acceptor.consume(7, of: peerKey)
    pair.engines.acceptor.write(ByteBuffer(string: "answer"), to: peerKey)
    pair.engines.acceptor.finish(peerKey)
    pair.engines.acceptor.release(peerKey)
    pair.run()
    #expect(pair.take(.dialler).map(summary) == ["data \(key) 6", "finished(\(key))"])
    pair.engines.dialler.consume(6, of: key)
    pair.engines.dialler.release(key)
    #expect(pair.engines.dialler.figures.streams.total == 0)
    #expect(pair.engines.acceptor.figures.streams.total == 0)
  }
}
