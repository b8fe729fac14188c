/// What a log entry is for. Values without a name are legal and travel unchanged.
public struct LogType: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public var rawValue: UInt8

  /// The type with this number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// A command for the state machine.
  public static let command = LogType(rawValue: 0)
  /// An empty entry with which a new leader asserts itself.
  public static let noop = LogType(rawValue: 1)
  /// Adds a peer, in the manner of protocol versions below 2.
  public static let addPeerDeprecated = LogType(rawValue: 2)
  /// Removes a peer, in the manner of protocol versions below 2.
  public static let removePeerDeprecated = LogType(rawValue: 3)
  /// A barrier: once applied, everything before it has been applied.
  public static let barrier = LogType(rawValue: 4)
  /// A change of the cluster's configuration.
  public static let configuration = LogType(rawValue: 5)
}

extension LogType: CustomStringConvertible {
  /// The type's name, or its number where it has none.
  public var description: String {
    switch self {
    case .command: "command"
    case .noop: "noop"
    case .addPeerDeprecated: "addPeerDeprecated"
    case .removePeerDeprecated: "removePeerDeprecated"
    case .barrier: "barrier"
    case .configuration: "configuration"
    default: "type \(rawValue)"
    }
  }
}
