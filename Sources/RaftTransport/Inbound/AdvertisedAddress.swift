import NIOCore

/// Upstream's checks of the address that peers are told.
enum AdvertisedAddress {
  /// The configured address, or else the bound one.
  ///
  /// - Throws: ``TransportError`` with `notAdvertisable` for an address that no peer can dial, and `badAddress`.
  static func choose(
    configured: ServerAddress?, _ listener: any Channel
  ) throws(TransportError) -> ServerAddress {
    if let configured {
      let hostPort = try HostPort(configured.rawValue)
      let isUnspecified = (try? SocketAddress(ipAddress: hostPort.host, port: 0))?.isUnspecified ?? false
      guard !isUnspecified, !hostPort.host.isEmpty, hostPort.port != 0 else {
        throw Self.unusable("the configured address \(configured)")
      }
      return configured
    }
    guard let bound = listener.localAddress, let ip = bound.ipAddress, let port = bound.port,
      !bound.isUnspecified
    else { throw Self.unusable("the bound address, which stands for all interfaces,") }
    return ServerAddress(HostPort.text(host: ip, port: port))
  }

  private static func unusable(_ what: String) -> TransportError {
    TransportError(
      .notAdvertisable, "\(what) cannot be dialled; set `advertisedAddress` to one that peers reach",
      delivery: .notDelivered)
  }
}
