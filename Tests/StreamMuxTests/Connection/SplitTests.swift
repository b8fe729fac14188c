import NIOCore
import Testing

@testable import StreamMux

/// How TCP cuts the bytes must not change what the engine makes of them.
@Suite("How bytes arrive changes nothing")
struct SplitTests {
  /// What the dialler sent in a conversation that has something of everything.
  private func recording(_ features: Features) throws -> (pair: PairOfEngines, bytes: ByteBuffer) {
    var options = PairOfEngines.Options()
    options.features = features
    var pair = try PairOfEngines(options, seed: 5)
    pair.recordsBytes = true
    pair.run()
    let dialler = StreamOpening(trafficClass: .append, group: 3)
    for index in 0..<4 {
      let key = try pair.engines.dialler.open(dialler, now: pair.now)
      pair.engines.dialler.write(ByteBuffer(repeating: UInt8(index), count: 10 + 40 * index), to: key)
      if index == 1 {
        pair.run()
        pair.engines.dialler.reset(key, code: .cancelled)
      } else if index == 2 {
        pair.run()
        pair.engines.dialler.stop(key, code: .notNeeded)
      } else {
        pair.engines.dialler.finish(key)
      }
    }
    _ = pair.engines.dialler.ping(now: pair.now)
    pair.run()
    pair.engines.dialler.close(.displaced, text: "enough", now: pair.now)
    pair.run()
    return (pair, pair.sent.dialler)
  }

  /// What an acceptor makes of the bytes when they come in pieces of these sizes. Data of a stream that
  /// comes in several pieces counts as one.
  private func events(_ bytes: ByteBuffer, _ features: Features, pieces: (Int) -> Int) throws -> [String] {
    var options = PairOfEngines.Options()
    options.features = features
    var engine = try PairOfEngines(options, seed: 5).engines.acceptor
    var rest = bytes
    var found: [String] = []
    var data: (key: StreamKey, bytes: ByteBuffer)?
    let now = PairOfEngines.start
    let handshake = handshakeLength(bytes)
    while rest.readableBytes > 0 {
      // The acceptor's WELCOME must be out before anything behind the dialler's may come.
      let end = rest.readerIndex < handshake ? handshake : bytes.writerIndex
      let size = min(end - rest.readerIndex, max(1, pieces(rest.readerIndex)))
      guard let piece = rest.readSlice(length: size) else { break }
      engine.receive(piece, now: now)
      while let event = engine.nextEvent() {
        if case .data(let key, let bytes) = event {
          if data?.key == key {
            data?.bytes.writeImmutableBuffer(bytes)
          } else {
            data = (key, bytes)
          }
          continue
        }
        if let (key, bytes) = data { found.append("data \(key) \(Array(bytes.readableBytesView))") }
        data = nil
        found.append(summary(event))
        if case .peerAuthenticated = event { engine.accept(grantsRoute: true, now: now) }
      }
      while engine.nextTransmission(limit: 65_536, now: now) != nil {}
    }
    return found
  }

  /// Where the dialler's WELCOME ends.
  private func handshakeLength(_ bytes: ByteBuffer) -> Int {
    var rest = bytes
    rest.moveReaderIndex(forwardBy: ProtocolConstants.preface.count)
    while let header = FrameHeader(readingFrom: &rest) {
      rest.moveReaderIndex(forwardBy: Int(header.payloadLength))
      if header.type == FrameType.welcome.rawValue { break }
    }
    return rest.readerIndex
  }

  // R-FRM-26, R-FRM-27
  @Test("pieces of every size from one byte up give the same events", arguments: [Features(), .crc32])
  func everySize(features: Features) throws {
    let (_, bytes) = try recording(features)
    let whole = try events(bytes, features) { _ in .max }
    #expect(whole.contains { $0.hasPrefix("draining") })
    #expect(whole.count > 10)
    for size in 1...64 {
      #expect(try events(bytes, features) { _ in size } == whole, "pieces of \(size)")
    }
  }

  // R-FRM-27
  @Test("every single cut gives the same events", arguments: [Features(), .crc32])
  func everyCut(features: Features) throws {
    let (_, bytes) = try recording(features)
    let whole = try events(bytes, features) { _ in .max }
    for cut in 1..<bytes.readableBytes {
      #expect(try events(bytes, features) { $0 < cut ? cut - $0 : .max } == whole, "cut at \(cut)")
    }
  }
}
