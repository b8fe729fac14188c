import Dispatch
import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Looks up which IP addresses a host has, for the check that a connection comes from where its peer lives (R-PAIR).
enum HostResolver {
  /// All IP addresses of a host, as normalised text; empty where the name does not resolve.
  ///
  /// Literal addresses are answered at once; names are looked up on a thread that nothing else waits for: the system's
  /// call cannot be stopped and may take half a minute.
  static func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>> {
    if let literal = literal(host) { return eventLoop.makeSucceededFuture([literal]) }
    let promise = eventLoop.makePromise(of: Set<String>.self)
    DispatchQueue.global().async { promise.succeed(resolve(host)) }
    return promise.futureResult
  }

  /// The normalised form of a literal IP address; `nil` for names.
  static func literal(_ host: String) -> String? {
    (try? SocketAddress(ipAddress: host, port: 0))?.ipAddress.map(normalised)
  }

  /// IPv4 addresses look the same whether they come over an IPv4 or an IPv6 socket.
  static func normalised(_ address: String) -> String {
    address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
  }

  /// All addresses of a host with a port, blocking; empty where the name does not resolve.
  static let socketAddresses: HostLookups.System = { host, port in
    resolve(host).sorted().compactMap { try? SocketAddress(ipAddress: $0, port: port) }
  }

  private static func resolve(_ host: String) -> Set<String> {
    var found: Set<String> = []
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, nil, &list) == 0 else { return found }
    defer { unsafe freeaddrinfo(list) }
    var next = unsafe list
    while let entry = unsafe next {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let status = unsafe getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      if status == 0 {
        let length = text.firstIndex(of: 0) ?? text.count
        found.insert(
          normalised(String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)))
      }
      unsafe next = entry.pointee.ai_next
    }
    return found
  }
}
