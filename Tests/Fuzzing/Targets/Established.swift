import NIOCore
import StreamMux

/// Two connections right behind their handshake, ready to be copied.
struct Established: Sendable {
  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  var dialler: MuxConnection
  var acceptor: MuxConnection
  let diallerHello: Hello
  let acceptorHello: Hello
  let isChecksummed: Bool

  /// Plain and checksummed, each with the default limits and with narrow ones.
  static let variants: [Established] = {
    do {
      return try [(false, false), (true, false), (false, true), (true, true)].map {
        try Established(isChecksummed: $0, isNarrow: $1)
      }
    } catch {
      preconditionFailure("two engines cannot agree: \(error)")
    }
  }()

  private init(isChecksummed: Bool, isNarrow: Bool) throws {
    self.isChecksummed = isChecksummed
    let configuration = try isNarrow ? Self.narrow() : MuxConfiguration.defaults
    let features: Features = isChecksummed ? [.crc32] : []
    let dial = try Self.hello("a", to: "b", features, configuration)
    let accept = try Self.hello("b", to: "", features, configuration)
    (diallerHello, acceptorHello) = (dial, accept)
    dialler = MuxConnection(
      role: .dialler, hello: dial, expectedServerID: "b", configuration: configuration, seed: 1,
      now: Self.start)
    acceptor = MuxConnection(
      role: .acceptor, hello: accept, expectedServerID: nil, configuration: configuration, seed: 2,
      now: Self.start)
    // Until both WELCOMEs are through, and not a byte further: what follows belongs to the run.
    for _ in 0..<4 {
      Self.move(&dialler, to: &acceptor)
      Self.move(&acceptor, to: &dialler)
    }
    while dialler.nextEvent() != nil {}
    while acceptor.nextEvent() != nil {}
  }

  private static func move(_ from: inout MuxConnection, to: inout MuxConnection) {
    while let bytes = from.nextTransmission(limit: 65_536, now: start) { to.receive(bytes, now: start) }
    while let event = to.nextEvent() {
      if case .peerAuthenticated = event { to.accept(grantsRoute: true, now: start) }
    }
  }

  static func hello(
    _ server: String, to target: String, _ features: Features, _ configuration: MuxConfiguration
  ) throws -> Hello {
    try Hello(
      features: features, maximumFramePayload: UInt32(configuration.limits.maximumFramePayload),
      initialWindow: UInt32(configuration.limits.initialWindow),
      streamCredit: configuration.limits.streamCredit, incarnation: 1,
      nonce: Nonce(high: server == "a" ? 1 : 2, low: 7), clusterID: "cluster", serverID: server,
      targetServerID: target)
  }

  /// Limits that a short input can reach.
  private static func narrow() throws -> MuxConfiguration {
    MuxConfiguration(
      limits: try MuxLimits(
        maximumFramePayload: 4_096, initialWindow: 16_384,
        streamCredit: StreamCredit(election: 2, append: 4, snapshot: 1), receiveBudget: 65_536,
        maximumAppendWindow: 32_768, maximumSnapshotWindow: 65_536, assemblyBudget: 1_048_576,
        maximumPendingOpens: 4, writeLowWater: 1_000, maximumControlFrames: 64, maximumWaitingPongs: 2),
      scheduling: try SchedulingLimits(bulkFrame: 1_024, quantum: 1_024, sliceThreshold: 256))
  }

  /// What must hold of a connection's memory at any time.
  static func checkMemory(
    _ connection: MuxConnection, _ watch: EventWatch
  ) throws(FuzzFinding) {
    let limits = connection.configuration.limits
    let figures = connection.figures
    guard watch.closure == nil else { return }
    let elections = Int(limits.streamCredit.election) * 2 * limits.initialWindow
    try require(
      watch.held <= limits.receiveBudget + elections + limits.assemblyBudget, "\(watch.held) bytes are held")
    try require(figures.reservedWindows <= limits.receiveBudget, "more promised than there is")
    try require(figures.assembling <= limits.assemblyBudget, "more in assembly than there is")
    try require(figures.pendingOpens <= limits.maximumPendingOpens, "\(figures.pendingOpens) opens wait")
    try require(
      figures.waitingControl <= limits.maximumControlFrames + 8,
      "\(figures.waitingControl) control frames wait")
  }
}
