import RaftTransport

extension MuxTransport: NodeTransport {
  func connections() async -> [ConnectionObservation] {
    await self.statistics().connections.map(ConnectionObservation.init)
  }
}

/// Opens the transport that the demo shows.
enum TransportOpener {
  /// Listens on loopback, on a port of the system's choice.
  static let open: OpenTransport = { configuration in
    try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
  }
}
