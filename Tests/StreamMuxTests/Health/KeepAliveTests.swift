import NIOCore
import StreamMux
import Testing

@Suite("Keeping a connection alive, or giving it up")
struct KeepAliveTests {
  private let start = NIODeadline.uptimeNanoseconds(0)

  private func steady() throws -> KeepAlive {
    KeepAlive(limits: try LivenessLimits(jitterPercent: 0), seed: 1, now: start)
  }

  private func roundTrip(_ time: TimeAmount) -> RoundTripEstimator {
    var estimator = RoundTripEstimator()
    estimator.sample(time)
    return estimator
  }

  // R-LIV-4, R-LIV-5
  @Test("asks once after a second of silence, and gives up after five")
  func silence() throws {
    var keepAlive = try steady()
    #expect(keepAlive.deadline == start + .seconds(1))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(999)) == .none)
    #expect(keepAlive.handleTimeout(now: start + .seconds(1)) == .sendPing)
    #expect(keepAlive.deadline == start + .seconds(5))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(4_999)) == .none)
    #expect(keepAlive.handleTimeout(now: start + .seconds(5)) == .giveUp(.silence))
  }

  // R-LIV-7
  @Test("begins anew with every byte")
  func bytes() throws {
    var keepAlive = try steady()
    #expect(keepAlive.handleTimeout(now: start + .seconds(1)) == .sendPing)
    keepAlive.received(now: start + .milliseconds(1_500))
    #expect(keepAlive.deadline == start + .milliseconds(2_500))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(2_500)) == .sendPing)
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(6_500)) == .giveUp(.silence))
  }

  @Test("a byte with an older time takes nothing back")
  func olderTime() throws {
    var keepAlive = try steady()
    keepAlive.received(now: start + .seconds(2))
    keepAlive.received(now: start + .seconds(1))
    #expect(keepAlive.deadline == start + .seconds(3))
  }

  // R-LIV-4
  @Test("asks at another moment for each seed, within a fifth", arguments: 0..<50 as Range<UInt64>)
  func jitter(seed: UInt64) {
    let one = KeepAlive(limits: .defaults, seed: seed, now: start)
    let other = KeepAlive(limits: .defaults, seed: seed &+ 1, now: start)
    #expect(one.deadline != other.deadline, "seed \(seed)")
    #expect(one.deadline >= start + .milliseconds(800), "seed \(seed)")
    #expect(one.deadline <= start + .milliseconds(1_200), "seed \(seed)")
  }

  // R-LIV-5
  @Test("gives a slow path eight round trips")
  func slowPath() throws {
    var keepAlive = try steady()
    keepAlive.measured(roundTrip(.seconds(2)), now: start)
    _ = keepAlive.handleTimeout(now: start + .seconds(1))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(15_999)) != .giveUp(.silence))
    #expect(keepAlive.handleTimeout(now: start + .seconds(16)) == .giveUp(.silence))

    var fast = try steady()
    fast.measured(roundTrip(.milliseconds(1)), now: start)
    fast.measured(RoundTripEstimator(), now: start)
    #expect(fast.handleTimeout(now: start + .seconds(5)) == .giveUp(.silence))
  }

  // R-LIV-8, R-LIV-11
  @Test("measures the round trip every five seconds though bytes come in all the while")
  func measurement() throws {
    var keepAlive = try steady()
    for tenth in 1...49 {
      let now = start + .milliseconds(Int64(tenth) * 100)
      keepAlive.received(now: now)
      #expect(keepAlive.handleTimeout(now: now) == .none)
    }
    keepAlive.received(now: start + .seconds(5))
    #expect(keepAlive.deadline == start + .seconds(5))
    #expect(keepAlive.handleTimeout(now: start + .seconds(5)) == .sendPing)
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(5_100)) == .none)
    keepAlive.measured(roundTrip(.milliseconds(1)), now: start + .milliseconds(5_200))
    keepAlive.received(now: start + .milliseconds(10_100))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(10_100)) == .none)
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(10_200)) == .sendPing)
  }

  // R-LIV-10
  @Test("gives no path more than a minute", arguments: [TimeAmount.seconds(8), .hours(1), .nanoseconds(.max)])
  func endlessPath(_ measured: TimeAmount) throws {
    var keepAlive = try steady()
    keepAlive.measured(roundTrip(measured), now: start)
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(59_999)) != .giveUp(.silence))
    #expect(keepAlive.handleTimeout(now: start + .seconds(60)) == .giveUp(.silence))
  }

  // R-LIV-10
  @Test("is as patient as its user said, however long that is, and no answer makes it longer")
  func patientUser() throws {
    let limits = try LivenessLimits(deadAfter: .seconds(90))
    var keepAlive = KeepAlive(limits: limits, seed: 1, now: start)
    keepAlive.measured(roundTrip(.hours(1)), now: start)
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(89_999)) != .giveUp(.silence))
    #expect(keepAlive.handleTimeout(now: start + .seconds(90)) == .giveUp(.silence))
  }

  // R-LIV-6
  @Test("gives up a socket that takes nothing although bytes come in")
  func noWriteProgress() throws {
    var keepAlive = try steady()
    keepAlive.outputPending(now: start + .milliseconds(100))
    for second in 1...5 {
      #expect(keepAlive.handleTimeout(now: start + .seconds(Int64(second))) != .giveUp(.silence))
      keepAlive.received(now: start + .seconds(Int64(second)))
      keepAlive.outputPending(now: start + .seconds(Int64(second)))
    }
    #expect(keepAlive.deadline == start + .milliseconds(5_100))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(5_100)) == .giveUp(.noWriteProgress))
  }

  @Test("is patient with a socket that takes something now and then")
  func slowWrites() throws {
    var keepAlive = try steady()
    keepAlive.outputPending(now: start)
    keepAlive.transmitted(stillPending: true, now: start + .seconds(4))
    keepAlive.received(now: start + .seconds(8))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(8_500)) != .giveUp(.noWriteProgress))
    keepAlive.transmitted(stillPending: false, now: start + .milliseconds(8_900))
    keepAlive.received(now: start + .seconds(13))
    #expect(keepAlive.handleTimeout(now: start + .milliseconds(13_900)) != .giveUp(.noWriteProgress))
  }
}
