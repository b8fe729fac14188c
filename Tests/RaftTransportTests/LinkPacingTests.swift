import NIOCore
import RaftTransport
import Testing

@testable import RaftTransportTesting

/// The link's clockwork without sockets: every time is told, so every time is exact.
@Suite("The pacing of a link")
struct LinkPacingTests {
  typealias Arrival = LinkPacing.Arrival

  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  static let profiles: [LinkProfile] = [
    .gigabit100ms, .hundredMegabit80ms, .twentyMegabit150ms,
    LinkProfile(delay: .milliseconds(1), bytesPerSecond: 1_250_000_000, queueBytes: 1 << 20),
    LinkProfile(delay: .zero, bytesPerSecond: 9_600, queueBytes: 4_096),
    LinkProfile(delay: .milliseconds(20), bytesPerSecond: 3_333_333, queueBytes: 65_537),
  ]

  private static func at(_ nanoseconds: Int) -> NIODeadline { self.start + .nanoseconds(Int64(nanoseconds)) }

  /// Everything that comes out up to a time, with the moment in nanoseconds at which it does.
  private static func drain(
    _ pacing: inout LinkPacing, until end: Int
  ) -> [(time: Int, arrival: Arrival)] {
    var arrivals: [(time: Int, arrival: Arrival)] = []
    while let change = pacing.nextChange(roomIsWanted: false), change <= self.at(end) {
      while let arrival = pacing.nextArrival(now: change) {
        arrivals.append((Int((change - self.start).nanoseconds), arrival))
      }
    }
    return arrivals
  }

  @Test("A byte takes its time on the wire and the delay, to the nanosecond")
  func oneMessage() {
    let profile = LinkProfile(delay: .milliseconds(10), bytesPerSecond: 1_000_000)
    var pacing = LinkPacing(profile: profile, now: Self.start)
    pacing.offer(1_000, of: 3, now: Self.at(500))
    #expect(pacing.queuedBytes == 1_000)
    #expect(pacing.nextChange(roomIsWanted: true) == Self.at(1_000_500))
    #expect(pacing.nextChange(roomIsWanted: false) == Self.at(11_000_500))
    #expect(pacing.nextArrival(now: Self.at(11_000_499)) == nil)
    #expect(pacing.bytesInFlight == 1_000)
    #expect(pacing.nextArrival(now: Self.at(11_000_500)) == Arrival(flow: 3, count: 1_000))
    #expect(pacing.nextArrival(now: Self.at(20_000_000)) == nil)
    #expect(pacing.bytesInFlight == 0)
    #expect(pacing.nextChange(roomIsWanted: true) == nil)
  }

  @Test(
    "A sender that always has more gets exactly the rate, and no more is held than the profile says",
    arguments: profiles)
  func rate(_ profile: LinkProfile) throws {
    let rate = try #require(profile.bytesPerSecond)
    var pacing = LinkPacing(profile: profile, now: Self.start)
    let span = 3_000_000_000
    var arrived = 0
    var (mostQueued, mostHeld) = (0, 0)
    var time = 0
    while time < span {
      while pacing.hasRoom { pacing.offer(min(pacing.room, 16_384), of: 0, now: Self.at(time)) }
      mostQueued = max(mostQueued, pacing.queuedBytes)
      mostHeld = max(mostHeld, pacing.queuedBytes + pacing.bytesInFlight)
      let change = try #require(pacing.nextChange(roomIsWanted: true))
      time = Int((change - Self.start).nanoseconds)
      while let arrival = pacing.nextArrival(now: change) { arrived += arrival.count }
    }
    let onWire = Double(time) / 1e9 - profile.delay / .seconds(1)
    // What is on the wire in part comes out as a whole later: at most one piece.
    let piece = max(1_448, rate / 2_000)
    #expect(mostQueued == profile.queueBytes)
    #expect(mostHeld <= profile.mostHeldBytes + piece)
    let missing = onWire * Double(rate) - Double(arrived)
    #expect(missing > -1 && missing <= Double(piece + 1), "\(missing) of \(arrived)")
  }

  @Test(
    "What has come out by a time does not depend on how often anybody asks", arguments: profiles,
    [1, 2, 3] as [UInt64])
  func catchesUp(_ profile: LinkProfile, seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var profile = profile
    profile.jitter = .milliseconds(3)
    profile.seed = seed
    profile.stalls = LinkProfile.Stalls(interval: .milliseconds(40), length: .milliseconds(7))
    var often = LinkPacing(profile: profile, now: Self.start)
    var seldom = often
    var time = 0
    var arrived = (often: [Int: Int](), seldom: [Int: Int]())
    for round in 0..<400 {
      let flow = Int.random(in: 0..<3, using: &generator)
      let count = Int.random(in: 1...20_000, using: &generator)
      often.offer(count, of: flow, now: Self.at(time))
      seldom.offer(count, of: flow, now: Self.at(time))
      for _ in 0..<Int.random(in: 0..<9, using: &generator) {
        time += Int.random(in: 0...300_000, using: &generator)
        while let arrival = often.nextArrival(now: Self.at(time)) {
          arrived.often[arrival.flow, default: 0] += arrival.count
        }
      }
      if round % 40 == 39 {
        while let arrival = often.nextArrival(now: Self.at(time)) {
          arrived.often[arrival.flow, default: 0] += arrival.count
        }
        while let arrival = seldom.nextArrival(now: Self.at(time)) {
          arrived.seldom[arrival.flow, default: 0] += arrival.count
        }
        #expect(arrived.often == arrived.seldom, "seed \(seed), round \(round)")
        #expect(often.queuedBytes == seldom.queuedBytes, "seed \(seed), round \(round)")
      }
    }
  }

  @Test("Connections share the wire in the order in which their bytes came")
  func shares() {
    var pacing = LinkPacing(
      profile: LinkProfile(delay: .milliseconds(5), bytesPerSecond: 1_000_000), now: Self.start)
    pacing.offer(1_000, of: 1, now: Self.start)
    pacing.offer(1_000, of: 2, now: Self.start)
    pacing.offer(0, of: 2, now: Self.start)
    pacing.offer(500, of: 1, now: Self.start)
    let arrivals = Self.drain(&pacing, until: 100_000_000)
    #expect(arrivals.map(\.arrival.flow) == [1, 2, 2, 1])
    #expect(arrivals.map(\.arrival.count) == [1_000, 1_000, 0, 500])
    #expect(arrivals.map(\.time) == [6_000_000, 7_000_000, 7_000_000, 7_500_000])
  }

  @Test("Bytes that take less than a nanosecond each take their time together")
  func fractions() {
    let profile = LinkProfile(bytesPerSecond: 7_000_000_000, queueBytes: 1 << 20)
    var pacing = LinkPacing(profile: profile, now: Self.start)
    for index in 0..<70_000 { pacing.offer(1, of: index % 2, now: Self.start) }
    #expect(Self.drain(&pacing, until: 1_000_000).last?.time == 10_000)
  }

  @Test("Without a rate, bytes take the delay, and the queue bounds what is under way")
  func delayAlone() {
    let profile = LinkProfile(delay: .milliseconds(10), queueBytes: 10_000)
    var pacing = LinkPacing(profile: profile, now: Self.start)
    pacing.offer(9_000, of: 0, now: Self.start)
    #expect(pacing.room == 1_000)
    pacing.offer(1_000, of: 0, now: Self.at(1_000_000))
    #expect(!pacing.hasRoom)
    #expect(Self.drain(&pacing, until: 100_000_000).map(\.time) == [10_000_000, 11_000_000])
    #expect(pacing.hasRoom)
  }

  @Test(
    "Jitter keeps the order, stays within its bounds, and follows from the seed",
    arguments: [1, 2, 3] as [UInt64])
  func jitter(_ seed: UInt64) {
    func times(_ seed: UInt64) -> [Int] {
      var pacing = LinkPacing(
        profile: LinkProfile(delay: .milliseconds(10), jitter: .milliseconds(4), seed: seed), now: Self.start)
      var times: [Int] = []
      for index in 0..<2_000 {
        let time = index * 250_000
        pacing.offer(1, of: index, now: Self.at(time))
      }
      for (index, (time, arrival)) in Self.drain(&pacing, until: 1_000_000_000).enumerated() {
        #expect(arrival.flow == index, "order, seed \(seed)")
        times.append(time - index * 250_000)
      }
      return times
    }
    let delays = times(seed)
    #expect(delays.count == 2_000)
    #expect(delays.allSatisfy { (10_000_000...14_000_000).contains($0) })
    let spread = (delays.max() ?? 0) - (delays.min() ?? 0)
    #expect(spread > 3_000_000, "seed \(seed)")
    #expect(delays == times(seed))
    #expect(delays != times(seed + 1))
  }

  @Test("Stalls of the profile take their share of the rate")
  func stallsOfTheProfile() {
    var profile = LinkProfile(delay: .zero, bytesPerSecond: 1_000_000, queueBytes: 4 << 20)
    profile.stalls = LinkProfile.Stalls(interval: .milliseconds(100), length: .milliseconds(30))
    var pacing = LinkPacing(profile: profile, now: Self.start)
    pacing.offer(4 << 20, of: 0, now: Self.start)
    let arrivals = Self.drain(&pacing, until: 2_100_000_000)
    // 100 ms before the first stall, then 20 times 70 of 100 ms; a piece is begun before a stall, not cut by it.
    let arrived = arrivals.reduce(0) { $0 + $1.arrival.count }
    #expect(abs(arrived - 1_500_000) <= 20 * 1_448)
    for (time, _) in arrivals where time >= 100_000_000 {
      #expect(!(2_000_000..<30_000_000).contains(time % 100_000_000), "\(time)")
    }
  }

  @Test(
    "Time that stands still is added to everything that is in the link",
    arguments: [0, 400_000, 3_000_000, 12_000_000])
  func standsStill(_ since: Int) {
    let profile = LinkProfile(delay: .milliseconds(10), bytesPerSecond: 1_000_000, jitter: .milliseconds(2))
    var moving = LinkPacing(profile: profile, now: Self.start)
    var standing = moving
    moving.offer(6_000, of: 0, now: Self.start)
    standing.offer(6_000, of: 0, now: Self.start)
    standing.standStill(true, now: Self.at(since))
    standing.standStill(true, now: Self.at(since + 1))
    var early: [Int] = []
    while let arrival = standing.nextArrival(now: Self.at(since + 40_000_000)) { early.append(arrival.count) }
    #expect(early.isEmpty)
    #expect(standing.nextChange(roomIsWanted: true) == nil)
    standing.standStill(false, now: Self.at(since + 50_000_000))
    let expected = Self.drain(&moving, until: 500_000_000).map { $0.time }
    let actual = Self.drain(&standing, until: 500_000_000).map { $0.time }
    #expect(!expected.isEmpty)
    #expect(actual == expected.map { $0 + 50_000_000 })
  }

  @Test("Another rate counts from its moment on, and another delay never changes the order")
  func changes() {
    var pacing = LinkPacing(
      profile: LinkProfile(delay: .milliseconds(50), bytesPerSecond: 1_000_000), now: Self.start)
    pacing.offer(14_480, of: 0, now: Self.start)
    // Five pieces of 1,448 bytes are on the wire, and five are not.
    pacing.change(
      to: LinkProfile(delay: .milliseconds(1), bytesPerSecond: 2_000_000), now: Self.at(7_240_000))
    pacing.offer(100, of: 1, now: Self.at(7_240_000))
    let arrivals = Self.drain(&pacing, until: 1_000_000_000)
    #expect(arrivals.map(\.time) == arrivals.map(\.time).sorted())
    #expect(arrivals.first?.time == 51_448_000)
    // The last of the old ones holds up all the new ones, which would have been there long before.
    #expect(arrivals.last?.time == 57_240_000)
    #expect(arrivals.last?.arrival == Arrival(flow: 1, count: 100))
    pacing.offer(2_000, of: 2, now: Self.at(80_000_000))
    #expect(Self.drain(&pacing, until: 1_000_000_000).last?.time == 82_000_000)
  }

  @Test(
    "Nothing is lost, made up or overtaken, whatever happens to the link",
    arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func random(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var pacing = LinkPacing(profile: .hundredMegabit80ms, now: Self.start)
    var time = 0
    var offered: [Arrival] = []
    var arrived: [Arrival] = []
    func note(_ arrival: Arrival, in list: inout [Arrival]) {
      if arrival.count > 0, let last = list.last, last.flow == arrival.flow, last.count > 0 {
        list[list.count - 1] = Arrival(flow: last.flow, count: last.count + arrival.count)
      } else {
        list.append(arrival)
      }
    }
    for _ in 0..<3_000 {
      time += Int.random(in: 0...2_000_000, using: &generator)
      let now = Self.at(time)
      switch Int.random(in: 0..<12, using: &generator) {
      case 0...6:
        let count = Int.random(in: 0...30_000, using: &generator)
        let arrival = Arrival(flow: Int.random(in: 0..<4, using: &generator), count: count)
        note(arrival, in: &offered)
        pacing.offer(arrival.count, of: arrival.flow, now: now)
      case 7:
        pacing.change(
          to: LinkProfile(
            delay: .microseconds(Int64.random(in: 0...90_000, using: &generator)),
            bytesPerSecond: Bool.random(using: &generator)
              ? nil : Int.random(in: 1_000_000...100_000_000, using: &generator),
            jitter: .microseconds(Int64.random(in: 0...5_000, using: &generator)), seed: seed), now: now)
      case 8:
        pacing.standStill(Bool.random(using: &generator), now: now)
      default:
        while let arrival = pacing.nextArrival(now: now) { note(arrival, in: &arrived) }
      }
    }
    pacing.standStill(false, now: Self.at(time))
    for (_, arrival) in Self.drain(&pacing, until: .max / 4) { note(arrival, in: &arrived) }
    #expect(arrived == offered, "seed \(seed)")
    #expect(pacing.queuedBytes == 0 && pacing.bytesInFlight == 0)
  }

  @Test("Profiles that make no sense are refused, and the field is named")
  func validation() throws {
    for profile in Self.profiles { try profile.validate() }
    try LinkProfile.unlimited.validate()
    let bad: [(String, LinkProfile)] = [
      ("delay", LinkProfile(delay: .seconds(-1))),
      ("delay", LinkProfile(delay: .seconds(61))),
      ("bytesPerSecond", LinkProfile(bytesPerSecond: 0)),
      ("queueBytes", LinkProfile(queueBytes: 1_023)),
      ("jitter", LinkProfile(jitter: .seconds(-1))),
      ("stalls.interval", LinkProfile(stalls: .init(interval: .zero, length: .zero))),
      ("stalls.length", LinkProfile(stalls: .init(interval: .seconds(1), length: .seconds(1)))),
      ("held", LinkProfile(delay: .seconds(60), bytesPerSecond: 10_000_000_000)),
    ]
    for (field, profile) in bad {
      let error = #expect(throws: TransportError.self) { try profile.validate() }
      #expect(error?.code == .badConfiguration)
      #expect(error.map { "\($0)".contains(field) } == true, "\(field)")
    }
  }

  @Test("A path's own profile has its round trip and a queue of one bandwidth-delay product")
  func namedProfiles() {
    #expect(LinkProfile.gigabit100ms.delay == .milliseconds(50))
    #expect(LinkProfile.gigabit100ms.queueBytes == 12_500_000)
    #expect(LinkProfile.hundredMegabit80ms.queueBytes == 1_000_000)
    #expect(LinkProfile.twentyMegabit150ms.queueBytes == 375_000)
    #expect(LinkProfile.twentyMegabit150ms.mostHeldBytes == 562_500)
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = self.state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
