import NIOCore
import Testing

@testable import StreamMux

@Suite("A peer that reads nothing while bulk is held back")
struct HeldBackAndStalledTests {
  /// An engine whose bulk is held back, and what its system said of the socket last.
  private func heldBack() throws -> (engine: MuxConnection, figures: SocketFigures, now: NIODeadline) {
    var options = EnginesOnPath.Options()
    options.there = PacingScenario.shape(20, 80)
    let pair = try EnginesOnPath(options, seed: 1)
    try pair.startBulk(.snapshot)
    pair.pass(.seconds(3))
    for _ in 0..<1_000 where !pair.dialler.engine.pacer.isHolding { pair.pass(.milliseconds(1)) }
    try #require(pair.dialler.engine.pacer.isHolding)
    return (pair.dialler.engine, pair.dialler.path.figures, pair.now)
  }

  /// Lets time pass: the peer says something now and then, and its system takes as many bytes per second.
  ///
  /// - Returns: How the connection ended, and when.
  private func run(
    _ engine: inout MuxConnection, _ first: SocketFigures, from start: NIODeadline, for time: TimeAmount,
    bytesPerSecond: Int
  ) -> (Closure, TimeAmount)? {
    var (figures, now) = (first, start)
    // Everything that was framed and not acknowledged is with the system.
    var outstanding = figures.unacknowledged + figures.unsent
    let capacity = outstanding
    for step in 1...Int(time.nanoseconds / 10_000_000) {
      now = start + .milliseconds(10 * Int64(step))
      if step % 50 == 0 {
        // A PONG that answers nothing wants no answer either.
        var bytes = ByteBuffer()
        FrameEncoder().write(.pong(0xFFFF_0000_0000_0000), into: &bytes)
        engine.receive(bytes, now: now)
      }
      let taken = min(bytesPerSecond / 100, outstanding)
      outstanding -= taken
      figures.acknowledged += UInt64(taken)
      figures.unacknowledged = outstanding - min(outstanding, 1)
      figures.unsent = min(outstanding, 1)
      if let deadline = engine.nextDeadline, deadline <= now { engine.handleTimeout(now: now) }
      if engine.wantsFigures(now: now) { engine.take(figures, now: now) }
      // The socket has no room for more than what is acknowledged makes.
      while outstanding < capacity, let bytes = engine.nextTransmission(limit: 65_536, now: now) {
        outstanding += bytes.readableBytes
      }
      while let event = engine.nextEvent() {
        if case .ending(let closure) = event { return (closure, now - start) }
      }
    }
    return nil
  }

  // R-LIV-6
  @Test("it is given up in time, though it says something now and then and nothing waits at the socket")
  func givenUp() throws {
    var (engine, figures, now) = try heldBack()
    #expect(!engine.hasTransmission, "nothing that the socket could take")
    let (closure, time) = try #require(
      run(&engine, figures, from: now, for: .seconds(30), bytesPerSecond: 0))
    #expect(closure == .silent)
    #expect(time > .seconds(4) && time < .seconds(7), "\(time)")
  }

  @Test("one that reads slowly is not given up")
  func slow() throws {
    var (engine, figures, now) = try heldBack()
    #expect(run(&engine, figures, from: now, for: .seconds(60), bytesPerSecond: 20_000) == nil)
  }

  @Test("a pause is counted once, however often it is looked at")
  func pauses() throws {
    var options = EnginesOnPath.Options()
    options.there = PacingScenario.shape(20, 80)
    let pair = try EnginesOnPath(options, seed: 1)
    try pair.startBulk(.snapshot)
    pair.pass(.seconds(3))
    for _ in 0..<1_000 where !pair.dialler.engine.pacer.isHolding { pair.pass(.milliseconds(1)) }
    var pacer = pair.dialler.engine.pacer
    let path = pair.dialler.engine.path.bottleneck
    try #require(pacer.isHolding)
    let (before, sent) = (pacer.holds, pair.dialler.engine.figures.bytesSent)
    for step: Int64 in 0..<500 {
      let mayGo = pacer.permitsBulk(sent: sent, path: path, now: pair.now + .microseconds(2 * step))
      if mayGo { break }
    }
    #expect(pacer.holds <= before + 1)
    // Never more pauses than there were frames that ended them.
    #expect(before <= pair.dialler.engine.figures.framesSent.data)
  }
}
