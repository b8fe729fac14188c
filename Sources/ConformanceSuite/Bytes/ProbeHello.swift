/// The fields of a HELLO, right or wrong.
package struct ProbeHello: Sendable, Equatable {
  package var minimumVersion: UInt16 = 1
  package var maximumVersion: UInt16 = 1
  package var features: UInt64 = 0
  package var methods: UInt32 = 1
  package var maximumFramePayload: UInt32 = 65_536
  package var initialWindow: UInt32 = 262_144
  package var electionStreams: UInt32 = 64
  package var appendStreams: UInt32 = 256
  package var snapshotStreams: UInt32 = 8
  package var incarnation: UInt64 = 1
  package var nonce: [UInt8]
  package var clusterID: [UInt8]
  package var serverID: [UInt8]
  package var address: [UInt8] = []
  package var targetServerID: [UInt8] = []
  package var extensions: [(type: UInt16, value: [UInt8])] = []
  /// Bytes behind all fields, for what is no extension.
  package var garbage: [UInt8] = []
  /// How many bytes of the encoding are sent; `nil` for all.
  package var truncatedTo: Int?

  /// The feature bit of checksums.
  package static let crc32: UInt64 = 1

  package static func == (left: ProbeHello, right: ProbeHello) -> Bool { left.encoded == right.encoded }

  package init(clusterID: String, serverID: String, target: String = "") {
    nonce = (0..<16).map { _ in .random(in: 0...255) }
    self.clusterID = Array(clusterID.utf8)
    self.serverID = Array(serverID.utf8)
    targetServerID = Array(target.utf8)
  }

  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(integer: minimumVersion)
    bytes.append(integer: maximumVersion)
    bytes.append(integer: features)
    bytes.append(integer: methods)
    bytes.append(integer: maximumFramePayload)
    bytes.append(integer: initialWindow)
    bytes.append(integer: electionStreams)
    bytes.append(integer: appendStreams)
    bytes.append(integer: snapshotStreams)
    bytes.append(integer: incarnation)
    bytes += nonce
    for string in [clusterID, serverID, address, targetServerID] {
      bytes.append(integer: UInt16(string.count))
      bytes += string
    }
    for field in extensions {
      bytes.append(integer: field.type)
      bytes.append(integer: UInt16(field.value.count))
      bytes += field.value
    }
    bytes += garbage
    return truncatedTo.map { Array(bytes.prefix($0)) } ?? bytes
  }

  /// Reads a HELLO without a look at the ranges; `nil` if it ends inside a field.
  package init?(decoding payload: [UInt8]) {
    var reader = ByteReader(payload)
    guard let least: UInt16 = reader.integer(), let most: UInt16 = reader.integer(),
      let features: UInt64 = reader.integer(), let methods: UInt32 = reader.integer(),
      let framePayload: UInt32 = reader.integer(), let window: UInt32 = reader.integer(),
      let election: UInt32 = reader.integer(), let append: UInt32 = reader.integer(),
      let snapshot: UInt32 = reader.integer(), let incarnation: UInt64 = reader.integer(),
      let nonce = reader.bytes(16)
    else { return nil }
    var strings: [[UInt8]] = []
    for _ in 0..<4 {
      guard let length: UInt16 = reader.integer(), let bytes = reader.bytes(Int(length)) else { return nil }
      strings.append(bytes)
    }
    while !reader.rest.isEmpty {
      guard let type: UInt16 = reader.integer(), let length: UInt16 = reader.integer(),
        let value = reader.bytes(Int(length))
      else { return nil }
      extensions.append((type, value))
    }
    (minimumVersion, maximumVersion, self.features, self.methods) = (least, most, features, methods)
    (maximumFramePayload, initialWindow, self.incarnation, self.nonce) =
      (framePayload, window, incarnation, nonce)
    (electionStreams, appendStreams, snapshotStreams) = (election, append, snapshot)
    (clusterID, serverID, address, targetServerID) = (strings[0], strings[1], strings[2], strings[3])
  }

  /// The stream credit of a class.
  package func streamCredit(_ trafficClass: UInt8) -> UInt32 {
    switch trafficClass {
    case StreamClass.election: electionStreams
    case StreamClass.append: appendStreams
    case StreamClass.snapshot: snapshotStreams
    default: 0
    }
  }

  /// What is wrong with a HELLO of somebody else; `nil` if its fields are in their ranges.
  package var fault: String? {
    if minimumVersion < 1 || minimumVersion > maximumVersion {
      return "versions \(minimumVersion) to \(maximumVersion)"
    }
    if !(4_096...65_536).contains(maximumFramePayload) {
      return "maximum frame payload \(maximumFramePayload)"
    }
    if !(16_384...67_108_864).contains(initialWindow) { return "initial window \(initialWindow)" }
    for (name, string, least) in [
      ("cluster ID", clusterID, 1), ("server ID", serverID, 1), ("address", address, 0),
      ("target", targetServerID, 0),
    ] {
      if !(least...255).contains(string.count) { return "\(name) of \(string.count) bytes" }
      if String(validating: string, as: UTF8.self) == nil { return "\(name) that is no UTF-8" }
    }
    return nil
  }
}
