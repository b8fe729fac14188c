import RaftTransportTesting
import Testing

@testable import raft_mux

@Suite("Links on the command line")
struct LinkChoiceTests {
  @Test("A rate and a round trip name a path, with half the round trip each way")
  func paths() throws {
    #expect(LinkChoice(argument: "1gbit-100ms")?.profile == .gigabit100ms)
    #expect(LinkChoice(argument: "100mbit-80ms")?.profile == .hundredMegabit80ms)
    #expect(LinkChoice(argument: "20mbit-150ms")?.profile == .twentyMegabit150ms)
    let slow = try #require(LinkChoice(argument: "1.5mbit-0.2s"))
    #expect(slow.profile.bytesPerSecond == 187_500)
    #expect(slow.profile.delay == .milliseconds(100))
    #expect(slow.profile.queueBytes == 37_500)
    #expect(slow.description == "1.5mbit-0.2s")
  }

  @Test("Parts name what they name, and leave the rest alone")
  func parts() throws {
    let profile = try #require(
      LinkChoice(argument: "delay=40ms,rate=100mbit,queue=1M,jitter=500us,stall=30ms/1s,seed=3")?.profile)
    #expect(
      profile
        == LinkProfile(
          delay: .milliseconds(40), bytesPerSecond: 12_500_000, queueBytes: 1 << 20,
          jitter: .microseconds(500), seed: 3,
          stalls: .init(interval: .seconds(1), length: .milliseconds(30))))
    #expect(LinkChoice(argument: "delay=1ms")?.profile == LinkProfile(delay: .milliseconds(1)))
  }

  @Test(
    "What is no link, or out of range, is refused",
    arguments: [
      "", "fast", "100mbit", "100mbit-", "-80ms", "100mbit-80ms-1", "100-80", "delay=40", "delay=-1ms",
      "rate=nan",
      "rate=1bit", "queue=1", "stall=1s", "stall=2s/1s", "seed=-1", "delay=1ms,,rate=1mbit", "colour=red",
      "rate=infmbit", "delay=infs", "rate=1e300gbit", "delay=61s",
    ])
  func nonsense(_ text: String) {
    #expect(LinkChoice(argument: text) == nil)
  }
}
