import NIOCore
import Testing

@testable import StreamMux

@Suite("Draining while a stream is on its way")
struct DrainWithRefusedStreamTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func engine(_ role: Role, _ id: String, _ number: UInt64) throws -> MuxConnection {
    let hello = try Hello(
      features: [], incarnation: 1, nonce: Nonce(high: number, low: number), clusterID: "c", serverID: id)
    return MuxConnection(
      role: role, hello: hello, expectedServerID: nil, configuration: .defaults, seed: number, now: start)
  }

  private func output(_ engine: inout MuxConnection) -> [ByteBuffer] {
    var output: [ByteBuffer] = []
    while let bytes = engine.nextTransmission(limit: 65_536, now: start) { output.append(bytes) }
    return output
  }

  @discardableResult
  private func events(_ engine: inout MuxConnection) -> [MuxEvent] {
    var events: [MuxEvent] = []
    while let event = engine.nextEvent() {
      if case .peerAuthenticated = event { engine.accept(grantsRoute: true, now: start) }
      events.append(event)
    }
    return events
  }

  /// Carries bytes both ways until nobody has any more.
  private func exchange(_ one: inout MuxConnection, _ other: inout MuxConnection) {
    var isQuiet = false
    while !isQuiet {
      let (fromOne, fromOther) = (output(&one), output(&other))
      for bytes in fromOne { other.receive(bytes, now: start) }
      for bytes in fromOther { one.receive(bytes, now: start) }
      events(&one)
      events(&other)
      isQuiet = fromOne.isEmpty && fromOther.isEmpty
    }
  }

  // R-DRN-4
  @Test("R-DRN-22: A stream that crosses the GOAWAY is refused and does not keep the connection open")
  func refusedStreamDoesNotHoldTheDrain() throws {
    var caller = try engine(.dialler, "caller", 1)
    var drainer = try engine(.acceptor, "drainer", 2)
    exchange(&caller, &drainer)

    let first = try caller.open(StreamOpening(trafficClass: .append), now: start)
    caller.write(ByteBuffer(string: "first"), to: first)
    for bytes in output(&caller) { drainer.receive(bytes, now: start) }
    let accepted = try #require(
      events(&drainer).compactMap { event in
        if case .opened(let key, _) = event { key } else { nil }
      }.first)

    // The second stream is under way while the drainer names the first as its last one.
    let second = try caller.open(StreamOpening(trafficClass: .append), now: start)
    caller.write(ByteBuffer(string: "second"), to: second)
    let inFlight = output(&caller)
    drainer.drain(now: start)
    var goAways = output(&drainer)
    drainer.handleTimeout(now: start + .milliseconds(60))
    goAways += output(&drainer)
    for bytes in inFlight { drainer.receive(bytes, now: start) }
    for bytes in goAways { caller.receive(bytes, now: start) }
    let isRejected = events(&caller).contains { event in
      if case .rejected(second, _) = event { true } else { false }
    }
    #expect(isRejected)
    caller.release(second)

    caller.finish(first)
    drainer.finish(accepted)
    exchange(&caller, &drainer)
    caller.release(first)
    drainer.release(accepted)
    exchange(&caller, &drainer)
    #expect(caller.phase.isOver)
    #expect([.ending(.drained), .outputClosed(.drained)].contains(drainer.phase))
  }
}
