import NIOCore
import Testing

@testable import StreamMux

@Suite("Messages larger than the window")
struct AssemblyTests {
  // R-FLW-14, R-FLW-15, R-FLW-16
  /// Every stream brings one message that is far larger than its window, all at once; the receiver can hold
  /// little more than one of them.
  @Test("several at once all come through, one after the other", arguments: [2, 5], [false, true])
  func several(count: Int, answersLate: Bool) throws {
    let messageSize = 1_000_000
    var options = PairOfEngines.Options()
    let limits = try MuxLimits(initialWindow: 32_768, assemblyBudget: 1_048_576)
    options.configuration = .init(MuxConfiguration(limits: limits))
    var pair = try PairOfEngines.established(options)
    for index in 0..<count {
      let opening = StreamOpening(trafficClass: .append, group: UInt64(index))
      let key = try pair.engines.dialler.open(opening, now: pair.now)
      pair.engines.dialler.write(ByteBuffer(repeating: UInt8(index), count: messageSize), to: key)
      pair.engines.dialler.finish(key)
    }
    var held: [StreamKey: Int] = [:]
    var complete: [StreamKey] = []
    var handled = 0
    for _ in 0..<10_000 where handled < count {
      pair.run()
      let events = pair.take(.acceptor)
      for event in events {
        guard case .data(let key, let bytes) = event else { continue }
        held[key, default: 0] += bytes.readableBytes
        if held[key] == messageSize {
          pair.engines.acceptor.assembled(key)
          complete.append(key)
        } else {
          pair.engines.acceptor.absorb(bytes.readableBytes, of: key)
        }
      }
      #expect(pair.engines.acceptor.figures.assembling <= 1_048_576)
      // A handler that answers late holds its message for as long.
      if events.isEmpty || !answersLate {
        for key in complete {
          pair.engines.acceptor.consume(messageSize, of: key)
          pair.engines.acceptor.release(key)
          handled += 1
        }
        complete = []
      }
    }
    pair.run()
    #expect(handled == count)
    #expect(pair.engines.acceptor.figures.assembling == 0)
    #expect(pair.engines.acceptor.figures.streams.total == 0)
  }

  @Test("one that breaks off gives its turn to the next")
  func brokenOff() throws {
    var options = PairOfEngines.Options()
    options.configuration = .init(MuxConfiguration(limits: try MuxLimits(initialWindow: 32_768)))
    var pair = try PairOfEngines.established(options)
    let keys = try (0..<2).map { index in
      let opening = StreamOpening(trafficClass: .append, group: UInt64(index))
      let key = try pair.engines.dialler.open(opening, now: pair.now)
      pair.engines.dialler.write(ByteBuffer(repeating: 0, count: 500_000), to: key)
      return key
    }
    var received: [UInt64: Int] = [:]
    var groups: [StreamKey: UInt64] = [:]
    func absorbAll() {
      for _ in 0..<1_000 {
        pair.run()
        let events = pair.take(.acceptor)
        if events.isEmpty { break }
        for event in events {
          switch event {
          case .opened(let key, let opening): groups[key] = opening.group
          case .data(let key, let bytes):
            received[groups[key] ?? 9, default: 0] += bytes.readableBytes
            pair.engines.acceptor.absorb(bytes.readableBytes, of: key)
          default: break
          }
        }
      }
    }
    absorbAll()
    #expect(received == [0: 500_000, 1: 32_768])
    pair.engines.dialler.reset(keys[0], code: .cancelled)
    absorbAll()
    #expect(received == [0: 500_000, 1: 500_000])
  }
}
