import Foundation
import NIOCore

@testable import StreamMux

/// What a sender's TCP does about its window: enough of cubic and of BBR to tell how something above them behaves.
struct CongestionModel {
  enum Kind: String, Sendable {
    case cubic
    case bbr
    /// No window but the send buffer.
    case none
  }

  let kind: Kind
  private let segment: Double
  /// The sender was stopped by the window since it last grew.
  var isLimiting = false
  private var size: Double
  private var threshold = Double.infinity
  /// Packets up to here belong to a loss that was answered.
  private var recoveryIndex: UInt64 = 0

  // Cubic.
  private var greatest = 0.0
  private var epoch: NIODeadline?
  private var inflection = 0.0
  /// HyStart: the least round trip of the first packets of a round.
  private var roundEnd: UInt64 = 0
  private var samples = 0
  private var leastOfRound = TimeAmount.hours(1)

  // BBR.
  private enum Stage { case startUp, drain, cruise, probeRoundTrip }
  private var stage = Stage.startUp
  private var rates: [(round: Int, rate: Double)] = []
  private var round = 0
  private var roundMark: UInt64 = 0
  private var fullRate = 0.0
  private var roundsWithoutGrowth = 0
  private var least = TimeAmount.hours(1)
  private var leastAt: NIODeadline
  private var cycle = 0
  private var cycleStart: NIODeadline
  private var stageEnd: NIODeadline

  init(_ kind: Kind, segment: Int, now: NIODeadline) {
    self.kind = kind
    self.segment = Double(segment)
    size = Double(max(10 * 1_448, 2 * segment))
    leastAt = now
    cycleStart = now
    stageEnd = now
  }

  /// Bytes that may be under way.
  var window: Int {
    switch kind {
    case .none: .max
    case .cubic: Int(size)
    case .bbr:
      switch stage {
      case .probeRoundTrip: Int(4 * segment)
      case .startUp: max(Int(size), Int(2.89 * product))
      case .drain: Int(2.89 * product)
      case .cruise: Int(2 * product + 3 * segment)
      }
    }
  }

  var slowStartWindow: Int? {
    switch kind {
    case .none: nil
    case .cubic: size < threshold ? window : nil
    case .bbr: stage == .startUp ? window : nil
    }
  }

  var isPaced: Bool { kind == .bbr }

  /// Bytes per second.
  var pacingRate: Double {
    let rate = max(
      highestRate, 10 * 1_448 / max(0.001, seconds(least == .hours(1) ? .milliseconds(1) : least)))
    switch stage {
    case .startUp: return 2.89 * rate
    case .drain: return rate / 2.89
    case .cruise: return rate * [1.25, 0.75, 1, 1, 1, 1, 1, 1][cycle]
    case .probeRoundTrip: return rate
    }
  }

  private var highestRate: Double { rates.map(\.rate).max() ?? 0 }
  private var product: Double { highestRate * seconds(least == .hours(1) ? .zero : least) }
  private func seconds(_ amount: TimeAmount) -> Double { Double(amount.nanoseconds) / 1e9 }

  mutating func acknowledged(
    _ packet: SimulatedPath.Packet, roundTrip: TimeAmount, least: TimeAmount, rate: Double, delivered: UInt64,
    underWay: Int, now: NIODeadline
  ) {
    switch kind {
    case .none: break
    case .cubic: growCubic(packet, roundTrip: roundTrip, least: least, underWay: underWay, now: now)
    case .bbr:
      followBBR(packet, roundTrip: roundTrip, rate: rate, delivered: delivered, underWay: underWay, now: now)
    }
  }

  mutating func lost(_ packet: SimulatedPath.Packet, nextIndex: UInt64, underWay: Int, now: NIODeadline) {
    guard kind == .cubic, packet.index >= recoveryIndex else { return }
    recoveryIndex = nextIndex
    greatest = size < greatest ? size * 0.85 : size
    size = max(2 * segment, size * 0.7)
    threshold = size
    epoch = nil
  }

  mutating func timedOut(nextIndex: UInt64, now: NIODeadline) {
    recoveryIndex = nextIndex
    guard kind == .cubic else { return }
    threshold = max(2 * segment, size * 0.7)
    size = segment
    epoch = nil
  }

  // MARK: Cubic

  private mutating func growCubic(
    _ packet: SimulatedPath.Packet, roundTrip: TimeAmount, least: TimeAmount, underWay: Int, now: NIODeadline
  ) {
    guard isLimiting || size < threshold else { return }
    if size < threshold {
      if isLimiting || 2 * Double(underWay + packet.length) > size { size += Double(packet.length) }
      leaveSlowStart(packet, roundTrip: roundTrip, least: least)
    } else {
      if epoch == nil {
        epoch = now
        inflection = greatest > size ? cbrt((greatest - size) / segment / 0.4) : 0
        greatest = max(greatest, size)
      }
      let elapsed = seconds(now - (epoch ?? now)) + seconds(least)
      let target = greatest + 0.4 * pow(elapsed - inflection, 3) * segment
      let growth = max(0.01, min((target - size) / size, 0.5)) * Double(packet.length)
      size += growth
    }
    isLimiting = false
  }

  private mutating func leaveSlowStart(
    _ packet: SimulatedPath.Packet, roundTrip: TimeAmount, least: TimeAmount
  ) {
    if packet.index >= roundEnd {
      roundEnd = packet.index + UInt64(size / segment)
      samples = 0
      leastOfRound = .hours(1)
    }
    guard samples < 8 else { return }
    samples += 1
    leastOfRound = min(leastOfRound, roundTrip)
    let allowance = min(max(least.nanoseconds / 8, 4_000_000), 16_000_000)
    if samples == 8, leastOfRound.nanoseconds > least.nanoseconds + allowance { threshold = size }
  }

  // MARK: BBR

  private mutating func followBBR(
    _ packet: SimulatedPath.Packet, roundTrip: TimeAmount, rate: Double, delivered: UInt64, underWay: Int,
    now: NIODeadline
  ) {
    size += Double(packet.length)
    let isNewRound = packet.delivered >= roundMark
    if isNewRound {
      roundMark = delivered
      round += 1
      rates.removeAll { $0.round <= round - 10 }
    }
    if !packet.isApplicationLimited || rate >= highestRate {
      if let last = rates.last, last.round == round {
        rates[rates.count - 1].rate = max(last.rate, rate)
      } else {
        rates.append((round, rate))
      }
    }
    let isExpired = now - leastAt > .seconds(10)
    if roundTrip <= least || isExpired {
      least = roundTrip
      leastAt = now
    }
    switch stage {
    case .startUp:
      guard isNewRound, !packet.isApplicationLimited else { break }
      if highestRate >= fullRate * 1.25 {
        fullRate = highestRate
        roundsWithoutGrowth = 0
      } else {
        roundsWithoutGrowth += 1
        if roundsWithoutGrowth >= 3 { stage = .drain }
      }
    case .drain:
      if Double(underWay) <= product { enterCruise(now) }
    case .cruise:
      let isLong = now - cycleStart > least
      if isLong && cycle != 0 || (cycle == 1 && Double(underWay) <= product)
        || (cycle == 0 && isLong && Double(underWay) >= 1.25 * product) || now - cycleStart > least + least
      {
        cycle = (cycle + 1) % 8
        cycleStart = now
      }
    case .probeRoundTrip:
      if now >= stageEnd { enterCruise(now) }
    }
    if isExpired, stage != .probeRoundTrip {
      stage = .probeRoundTrip
      stageEnd = now + .milliseconds(200) + least
    }
  }

  private mutating func enterCruise(_ now: NIODeadline) {
    stage = .cruise
    cycle = 2
    cycleStart = now
  }
}
