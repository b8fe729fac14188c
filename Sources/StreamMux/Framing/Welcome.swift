/// A side's verdict on the connection.
package enum Welcome: Equatable, Sendable {
  /// `grantsRoute`: the acceptor will use the connection for its own calls, too. A dialler's is ignored.
  case accepted(grantsRoute: Bool)
  case refused(Refusal)

  /// The bit of the flags byte that says `grantsRoute`. Others are sent as 0 and ignored.
  static let routeFlag: UInt8 = 0x01
}
