/// Which releases of hashicorp/raft the encoder writes like. Reading does not depend on it.
///
/// The differences are the four properties below and nothing else (R-PAY-18).
public enum WireProfile: String, Sendable, Hashable, CaseIterable {
  /// Releases up to 1.2.
  case original = "1.0"
  /// 1.3.0 to 1.3.6: log entries are timestamped.
  case timestamped = "1.3"
  /// 1.3.7 to 1.5: headers also name the sender.
  case addressed = "1.3.7"
  /// 1.6 and later with its default time format: readable by every release.
  case modern = "1.6"
  /// 1.6 and later with the new time format switched on: releases 1.3 to 1.5 refuse its entries.
  case modernNewTime = "1.6-newtime"

  /// What is spoken unless configured otherwise: ``modern``.
  public static let `default` = WireProfile.modern

  /// Whether log entries carry `AppendedAt`.
  package var hasAppendedAt: Bool { self != .original }

  /// Whether headers carry `ID` and `Addr`.
  package var hasIDAndAddress: Bool { self != .original && self != .timestamped }

  /// How signed fields above 127 are written.
  package var signedIntegerStyle: SignedIntegerStyle {
    switch self {
    case .original, .timestamped, .addressed: .unsignedIfPositive
    case .modern, .modernNewTime: .alwaysSigned
    }
  }

  /// How timestamps are written.
  package var timeFormat: TimeFormat { self == .modernNewTime ? .compact : .binary }

  package enum SignedIntegerStyle: Sendable {
    /// The shortest unsigned format for values of zero and above.
    case unsignedIfPositive
    /// The shortest signed format for everything that is no fixint.
    case alwaysSigned
  }

  package enum TimeFormat: Sendable {
    /// Go's binary form of a time: keeps the location.
    case binary
    /// MessagePack's timestamp payload without its extension header: keeps the instant only.
    case compact
  }
}
