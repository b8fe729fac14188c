import NIOCore

/// Decides which protocol a peer is called with, from what it has shown so far (R-CLS-20 to R-CLS-25).
///
/// A plain value; time comes in as an argument. A peer counts as an old one only if it closed an RMUX connection
/// without a byte *and* then answered a call of the old protocol: an overloaded host or a middlebox does the first,
/// too.
struct PeerProtocolMemory {
  /// How to call a peer.
  enum Choice: Hashable, Sendable {
    /// With RMUX. If the peer closes that without a byte, the call may be tried with the old protocol.
    case rmux(mayFallBack: Bool)
    /// With the old protocol.
    case classic
  }

  /// Which protocols may be dialled at all.
  enum Mode: Hashable, Sendable {
    case preferRMUX
    case rmuxOnly
    case classicOnly
  }

  /// Far above any cluster. With so many peers that spoke RMUX nobody is believed any more to be an old one; of so
  /// many old ones some are forgotten, which costs them one attempt with RMUX.
  private static let maximumEntries = 4_096

  let mode: Mode
  /// How long an old peer is remembered as one.
  let memory: TimeAmount
  private(set) var spokeRMUX: TransportConfiguration.KnownPeers
  /// Until when an address is called with the old protocol.
  private var classicUntil: [ServerAddress: NIODeadline] = [:]

  init(mode: Mode, memory: TimeAmount, spokeRMUX: TransportConfiguration.KnownPeers = .init()) {
    self.mode = mode
    self.memory = memory
    self.spokeRMUX = spokeRMUX
  }

  /// How to call a peer now.
  func choice(for target: DialTarget, now: NIODeadline) -> Choice {
    switch mode {
    case .rmuxOnly: return .rmux(mayFallBack: false)
    case .classicOnly: return .classic
    case .preferRMUX:
      guard mayFallBack(target) else { return .rmux(mayFallBack: false) }
      if let until = classicUntil[target.address], now < until { return .classic }
      return .rmux(mayFallBack: true)
    }
  }

  /// Whether an address is remembered as an old peer's.
  func isClassic(_ address: ServerAddress, now: NIODeadline) -> Bool {
    classicUntil[address].map { now < $0 } ?? false
  }

  /// A peer has answered a call of the old protocol.
  ///
  /// - Returns: Whether this is news.
  mutating func answeredClassic(_ target: DialTarget, now: NIODeadline) -> Bool {
    // While it is remembered, answers do not prolong it: RMUX is to be tried again at some time.
    guard mode == .preferRMUX, mayFallBack(target), !isClassic(target.address, now: now) else { return false }
    let isNews = classicUntil[target.address] == nil
    if classicUntil.count >= Self.maximumEntries { forgetOldest() }
    classicUntil[target.address] = now + memory
    return isNews
  }

  /// A call of the old protocol was not answered: what is at the address may have changed, so the next call looks.
  mutating func failedClassic(_ address: ServerAddress) {
    classicUntil[address] = nil
  }

  /// A peer has spoken RMUX: by itself nothing leads back from there.
  ///
  /// - Returns: Whether it was remembered as an old one.
  mutating func spokeRMUX(_ target: DialTarget) -> Bool {
    if spokeRMUX.ids.count < Self.maximumEntries, !target.id.isEmpty { spokeRMUX.ids.insert(target.id) }
    if spokeRMUX.addresses.count < Self.maximumEntries { spokeRMUX.addresses.insert(target.address) }
    return classicUntil.removeValue(forKey: target.address) != nil
  }

  /// The user says that a peer may have gone back to the old protocol.
  mutating func forgetRMUX(_ target: DialTarget) {
    spokeRMUX.ids.remove(target.id)
    spokeRMUX.addresses.remove(target.address)
  }

  private func mayFallBack(_ target: DialTarget) -> Bool {
    let isKnown =
      target.id.isEmpty ? spokeRMUX.addresses.contains(target.address) : spokeRMUX.ids.contains(target.id)
    let isFull = max(spokeRMUX.ids.count, spokeRMUX.addresses.count) >= Self.maximumEntries
    return !isKnown && !isFull
  }

  private mutating func forgetOldest() {
    if let oldest = classicUntil.min(by: { $0.value < $1.value })?.key { classicUntil[oldest] = nil }
  }
}
