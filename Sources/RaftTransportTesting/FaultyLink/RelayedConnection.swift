internal import NIOCore

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// One connection through a faulty link. Confined to the link's event loop.
final class RelayedConnection {
  let client: any Channel
  let target: any Channel
  let toTarget: LinkDirection
  let toClient: LinkDirection

  init(client: any Channel, target: any Channel, toTarget: LinkPath, toClient: LinkPath) {
    self.client = client
    self.target = target
    var directionsUnderWay = 2
    let onEnd = {
      directionsUnderWay -= 1
      guard directionsUnderWay == 0 else { return }
      client.close(promise: nil)
      target.close(promise: nil)
    }
    self.toTarget = LinkDirection(from: client, to: target, path: toTarget, onEnd: onEnd)
    self.toClient = LinkDirection(from: target, to: client, path: toClient, onEnd: onEnd)
  }

  /// A FIN to both ends, nothing more of what was held.
  func cut() {
    self.toTarget.sever()
    self.toClient.sever()
  }

  /// An RST to both ends.
  func reset() {
    // Else the end of the first socket would go on as a FIN to the second one, ahead of its RST.
    self.toTarget.stop()
    self.toClient.stop()
    Self.reset(self.client)
    Self.reset(self.target)
  }

  /// Closes both sockets.
  func close() {
    self.client.close(promise: nil)
    self.target.close(promise: nil)
  }

  /// Closes a socket so that its peer gets an RST.
  static func reset(_ channel: any Channel) {
    // Lingering for no time is how sockets are told to forget everything and say so.
    if let socket = channel as? any SocketOptionProvider {
      socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    } else {
      channel.close(promise: nil)
    }
  }
}
