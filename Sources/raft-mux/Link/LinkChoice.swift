import ArgumentParser
import RaftTransportTesting

/// An emulated link as the command line names it: `100mbit-80ms` for a path of a rate and a round trip, or
/// `delay=40ms,rate=100mbit,queue=1M,jitter=5ms,stall=30ms/1s,seed=3`, each part of which may be missing.
struct LinkChoice: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
  /// What both directions are like.
  let profile: LinkProfile
  /// As it was written.
  let description: String

  init?(argument: String) {
    guard let profile = Self.path(argument) ?? Self.parts(argument), Self.isInRange(profile) else {
      return nil
    }
    self.profile = profile
    self.description = argument
  }

  static let help = """
    a rate and a round trip such as 1gbit-100ms, 100mbit-80ms or 20mbit-150ms, with a queue of one \
    bandwidth-delay product; or parts such as delay=40ms,rate=100mbit,queue=1M,jitter=5ms,stall=30ms/1s,seed=3, \
    where the delay is one way and a stall is its length and how far apart stalls begin
    """

  private static func path(_ text: String) -> LinkProfile? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let rate = self.rate(parts[0]), let roundTrip = self.duration(parts[1]) else {
      return nil
    }
    return LinkProfile(bytesPerSecond: rate, roundTrip: roundTrip)
  }

  private static func parts(_ text: String) -> LinkProfile? {
    var profile = LinkProfile()
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, Self.set(sides[0], sides[1], in: &profile) else { return nil }
    }
    return profile
  }

  private static func set(_ name: Substring, _ value: Substring, in profile: inout LinkProfile) -> Bool {
    switch name {
    case "delay":
      guard let delay = self.duration(value) else { return false }
      profile.delay = delay
    case "rate":
      guard let rate = self.rate(value) else { return false }
      profile.bytesPerSecond = rate
    case "queue":
      guard let queue = ByteSize(argument: String(value)) else { return false }
      profile.queueBytes = queue.count
    case "jitter":
      guard let jitter = self.duration(value) else { return false }
      profile.jitter = jitter
    case "seed":
      guard let seed = UInt64(value) else { return false }
      profile.seed = seed
    case "stall":
      let sides = value.split(separator: "/", omittingEmptySubsequences: false)
      guard sides.count == 2, let length = self.duration(sides[0]), let interval = self.duration(sides[1])
      else { return false }
      profile.stalls = LinkProfile.Stalls(interval: interval, length: length)
    default:
      return false
    }
    return true
  }

  /// Bytes per second.
  private static func rate(_ text: Substring) -> Int? {
    let bits = self.number(text, units: [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3), ("bit", 1)])
    return bits.flatMap { $0 >= 8 ? Int($0 / 8) : nil }
  }

  private static func duration(_ text: Substring) -> Duration? {
    // The longer endings first: a "ms" ends like an "s".
    self.number(text, units: [("us", 1e3), ("ms", 1e6), ("s", 1e9)]).map { .nanoseconds(Int64($0)) }
  }

  private static func number(_ text: Substring, units: [(ending: String, factor: Double)]) -> Double? {
    guard let unit = units.first(where: { text.hasSuffix($0.ending) }),
      let number = Double(text.dropLast(unit.ending.count)), number >= 0, number * unit.factor < 1e15
    else { return nil }
    return number * unit.factor
  }

  private static func isInRange(_ profile: LinkProfile) -> Bool {
    do {
      try profile.validate()
      return true
    } catch {
      return false
    }
  }
}
