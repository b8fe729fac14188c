/// An instant with its location, as far as the wire shows it.
///
/// Two values are equal if instant and location are; ``zero`` is the time that stands for "not set".
public struct LogTimestamp: Sendable, Hashable {
  /// Where the clock hung that gave the time.
  public enum Location: Sendable, Hashable {
    /// Coordinated Universal Time itself, which differs from a zone that merely has no offset.
    case utc
    /// A zone, by its offset from UTC in seconds, positive to the east.
    case offset(seconds: Int32)
  }

  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  public var unixSeconds: Int64
  /// Nanoseconds after ``unixSeconds``; 0 ..< 1,000,000,000 for a real time, though a
  /// peer's bytes can give any value of 30 bits.
  public var nanoseconds: Int32
  /// The location.
  public var location: Location

  /// A timestamp; parts that are left out are those of UTC and a whole second.
  public init(unixSeconds: Int64, nanoseconds: Int32 = 0, location: Location = .utc) {
    self.unixSeconds = unixSeconds
    self.nanoseconds = nanoseconds
    self.location = location
  }

  /// The first second of the year 1, UTC: a timestamp that was never set.
  public static let zero = LogTimestamp(unixSeconds: -62_135_596_800)

  /// Whether the instant is that of ``zero``, whatever the location.
  public var isZero: Bool {
    unixSeconds == Self.zero.unixSeconds && nanoseconds == 0
  }

  /// Go keeps nanoseconds in 30 bits: smaller values than this travel, whether they make sense or not.
  static let nanosecondBound: Int32 = 1 << 30
}
