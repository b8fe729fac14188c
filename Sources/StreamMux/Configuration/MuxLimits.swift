package import NIOCore

/// Memory, streams and the handshake.
package struct MuxLimits: Equatable, Sendable {
  /// The largest payload that the peer may send in one frame, bytes, 4,096...65,536. With checksums one
  /// frame of that size is held until its checksum was read.
  package private(set) var maximumFramePayload = ProtocolConstants.largestFramePayload
  /// What the peer may send on a new stream before it is given more, bytes, 16 KiB...64 MiB. Every live
  /// stream can hold as much.
  package private(set) var initialWindow = 256 * 1_024
  /// Streams of each class that the peer may have at once, 1...65,536 each. Election streams have memory of
  /// their own beside ``receiveBudget``: election credit x initial window (16 MiB by default).
  package private(set) var streamCredit = StreamCredit.defaults
  /// The sum of the windows of all live streams but elections, bytes, from one initial window to 1 TiB.
  /// The most that received and unhandled bytes of one connection can hold. A stream that does not fit is
  /// refused.
  package private(set) var receiveBudget = 128 * 1_024 * 1_024
  /// The largest window to which an append stream may grow, bytes, 16 KiB...1 GiB; not below
  /// ``initialWindow``, and with just that windows do not grow. What windows have grown is part of
  /// ``receiveBudget``, and takes at most half of it.
  package private(set) var maximumAppendWindow = 16 * 1_024 * 1_024
  /// The same for a snapshot stream.
  package private(set) var maximumSnapshotWindow = 64 * 1_024 * 1_024
  /// Bytes that incomplete messages may hold beyond their streams' windows, 1 MiB...1 TiB. At least the
  /// largest message that shall be received; twice that lets the next begin. Comes on top of
  /// ``receiveBudget``.
  package private(set) var assemblyBudget = 64 * 1_024 * 1_024
  /// Opens of our own that wait for the peer's stream credit, 1...1,048,576. About 200 bytes each, and what
  /// is written to them.
  package private(set) var maximumPendingOpens = 1_024
  /// A stream whose queue was above this reports room when it falls below, bytes, 1...64 MiB. What a writer
  /// that waits for room holds per stream.
  package private(set) var writeLowWater = 64 * 1_024
  /// Control frames that may wait for the socket, 64...1,048,576. At most about 64 bytes each.
  package private(set) var maximumControlFrames = 4_096
  /// Answers to PING that may wait for the socket, 1...1,024: only the newest are kept.
  package private(set) var maximumWaitingPongs = 8
  /// From the first byte to both WELCOMEs, 1 ms...10 min.
  package private(set) var handshakeTimeout = TimeAmount.seconds(5)

  private init() {}

  package static let defaults = MuxLimits()

  /// - Throws: ``ConfigurationError`` for the first field that is out of range.
  package init(
    maximumFramePayload: Int = defaults.maximumFramePayload,
    initialWindow: Int = defaults.initialWindow,
    streamCredit: StreamCredit = defaults.streamCredit,
    receiveBudget: Int = defaults.receiveBudget,
    maximumAppendWindow: Int = defaults.maximumAppendWindow,
    maximumSnapshotWindow: Int = defaults.maximumSnapshotWindow,
    assemblyBudget: Int = defaults.assemblyBudget,
    maximumPendingOpens: Int = defaults.maximumPendingOpens,
    writeLowWater: Int = defaults.writeLowWater,
    maximumControlFrames: Int = defaults.maximumControlFrames,
    maximumWaitingPongs: Int = defaults.maximumWaitingPongs,
    handshakeTimeout: TimeAmount = defaults.handshakeTimeout
  ) throws(ConfigurationError) {
    self.maximumFramePayload = maximumFramePayload
    self.initialWindow = initialWindow
    self.streamCredit = streamCredit
    self.receiveBudget = receiveBudget
    self.maximumAppendWindow = maximumAppendWindow
    self.maximumSnapshotWindow = maximumSnapshotWindow
    self.assemblyBudget = assemblyBudget
    self.maximumPendingOpens = maximumPendingOpens
    self.writeLowWater = writeLowWater
    self.maximumControlFrames = maximumControlFrames
    self.maximumWaitingPongs = maximumWaitingPongs
    self.handshakeTimeout = handshakeTimeout

    let mebibyte = 1_024 * 1_024
    let framePayloads = ProtocolConstants.leastFramePayload...ProtocolConstants.largestFramePayload
    try ConfigurationError.check(maximumFramePayload, "maximumFramePayload", in: framePayloads)
    try ConfigurationError.check(initialWindow, "initialWindow", in: ProtocolConstants.initialWindowRange)
    for trafficClass in TrafficClass.allCases {
      try ConfigurationError.check(
        streamCredit[trafficClass], "streamCredit.\(trafficClass)", in: 1...65_536)
    }
    try ConfigurationError.check(
      receiveBudget, "receiveBudget", in: initialWindow...mebibyte * mebibyte)
    let windows = ProtocolConstants.initialWindowRange.lowerBound...1_024 * mebibyte
    try ConfigurationError.check(maximumAppendWindow, "maximumAppendWindow", in: windows)
    try ConfigurationError.check(maximumSnapshotWindow, "maximumSnapshotWindow", in: windows)
    try ConfigurationError.check(assemblyBudget, "assemblyBudget", in: mebibyte...mebibyte * mebibyte)
    try ConfigurationError.check(maximumPendingOpens, "maximumPendingOpens", in: 1...mebibyte)
    try ConfigurationError.check(writeLowWater, "writeLowWater", in: 1...64 * mebibyte)
    try ConfigurationError.check(maximumControlFrames, "maximumControlFrames", in: 64...mebibyte)
    try ConfigurationError.check(maximumWaitingPongs, "maximumWaitingPongs", in: 1...1_024)
    try ConfigurationError.check(handshakeTimeout, "handshakeTimeout", in: .milliseconds(1)...(.minutes(10)))
  }
}
