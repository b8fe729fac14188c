import NIOCore
import Testing

@testable import StreamMux

@Suite("The bulk pacer")
struct BulkPacerTests {
  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  /// A pacer on a path of 10 MB/s and 50 ms that has just come out of its start-up, with what was sent.
  private struct Paced {
    var pacer = BulkPacer()
    var path = BottleneckModel()
    var now = BulkPacerTests.start
    var sent: UInt64 = 0
    var acknowledged: UInt64 = 0

    /// Lets time pass in which the path carries what it can, and keeps `outstanding` bytes under way.
    mutating func pass(
      _ steps: Int, outstanding: Int, roundTrip: TimeAmount = .milliseconds(50), rate: Double = 10_000_000,
      systemLeast: TimeAmount = .milliseconds(50)
    ) {
      for _ in 0..<steps {
        now = now + .milliseconds(5)
        acknowledged += UInt64(rate / 200)
        sent = acknowledged + UInt64(outstanding)
        pacer.take(
          SocketFigures(
            acknowledged: acknowledged, unacknowledged: outstanding - 1, unsent: 1, roundTrip: roundTrip,
            roundTripVariation: .zero, minimumRoundTrip: systemLeast),
          sent: sent, path: &path, now: now)
      }
    }
  }

  private func steady() -> Paced {
    var paced = Paced()
    paced.pass(80, outstanding: 530_000, roundTrip: .milliseconds(53))
    return paced
  }

  // R-PATH-2
  @Test(
    "bulk waits once rate times least round trip and headroom is outstanding, and for no longer than needed")
  func bound() throws {
    var paced = steady()
    let bound = try #require(paced.pacer.bound(paced.path))
    #expect((520_000...545_000).contains(bound), "\(bound)")
    paced.pass(1, outstanding: bound + 20_000)
    let mayGo = paced.pacer.permitsBulk(sent: paced.sent, path: paced.path, now: paced.now)
    #expect(!mayGo)
    let until = try #require(paced.pacer.heldUntil)
    #expect(until > paced.now && until <= paced.now + .milliseconds(5))
    paced.pass(1, outstanding: bound - 40_000)
    #expect(!paced.pacer.isHolding)
    let mayGoNow = paced.pacer.permitsBulk(sent: paced.sent, path: paced.path, now: paced.now)
    #expect(mayGoNow)
  }

  @Test("a queue measures the rate downwards, a round without one does not")
  func rateFalls() throws {
    var paced = steady()
    paced.pass(40, outstanding: 200_000, roundTrip: .milliseconds(50), rate: 4_000_000)
    #expect(try #require(paced.path.rate) > 9_000_000)
    paced.pass(60, outstanding: 400_000, roundTrip: .milliseconds(100), rate: 4_000_000)
    #expect(try #require(paced.path.rate) < 4_500_000)
  }

  @Test("however small a window in slow start is, some bulk may go", arguments: [536, 1_448, 2_896, 4_344])
  func smallestWindow(_ window: Int) {
    var paced = Paced()
    func figures(_ acknowledged: UInt64) -> SocketFigures {
      SocketFigures(
        acknowledged: acknowledged, unacknowledged: 0, unsent: 0, roundTrip: .milliseconds(50),
        roundTripVariation: .zero, minimumRoundTrip: .milliseconds(50), slowStartWindow: window)
    }
    for _ in 0..<20 {
      paced.now = paced.now + .milliseconds(5)
      paced.pacer.take(figures(1_000), sent: 1_000, path: &paced.path, now: paced.now)
      let mayGo = paced.pacer.permitsBulk(sent: 1_000, path: paced.path, now: paced.now)
      #expect(mayGo, "nothing is under way, and nothing may go")
    }
  }

  // R-PATH-4, R-PATH-5
  @Test("a quick path is left alone until every round trip has become a long one")
  func quickPathBecomesLong() throws {
    var paced = Paced()
    let quick = TimeAmount.microseconds(200)
    paced.pass(2_000, outstanding: 100_000, roundTrip: quick, systemLeast: quick)
    #expect(paced.pacer.bound(paced.path) == nil)
    // The system's own least round trip stays what it was on the old route.
    paced.pass(2_500, outstanding: 530_000, roundTrip: .milliseconds(50), systemLeast: quick)
    #expect(paced.path.leastRoundTrip == .milliseconds(50))
    #expect(paced.pacer.bound(paced.path) != nil)
  }

  @Test("figures that run backwards are survived")
  func backwards() {
    var paced = steady()
    paced.acknowledged -= 100_000
    paced.pass(1, outstanding: 100)
    paced.now = paced.now - .seconds(1)
    paced.pass(40, outstanding: 0, roundTrip: .zero)
    paced.pass(40, outstanding: 1 << 40, roundTrip: .hours(1), rate: 0)
    _ = paced.pacer.permitsBulk(sent: paced.sent, path: paced.path, now: paced.now)
  }

  // R-PATH-4
  @Test("the least round trip is measured anew, and a longer route is believed")
  func drains() throws {
    var paced = steady()
    paced.pass(1_000, outstanding: 530_000, roundTrip: .milliseconds(53))
    #expect(paced.pacer.phase == .draining(.emptying))
    paced.pass(200, outstanding: 400_000, roundTrip: .milliseconds(90), rate: 4_400_000)
    let least = try #require(paced.path.leastRoundTrip)
    #expect(least == .milliseconds(90))
  }
}
