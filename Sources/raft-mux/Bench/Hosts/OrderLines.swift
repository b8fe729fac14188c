import Foundation

/// Orders on standard input, answers on standard output.
enum OrderLines {
  /// Until the end of the input; a line that is no order asks for the usage.
  static var standardInput: AsyncStream<PeerLines.Order> {
    let (orders, feed) = AsyncStream.makeStream(of: PeerLines.Order.self)
    Thread.detachNewThread {
      LineReader(.standardInput).run {
        feed.yield((try? PeerLines.decode(PeerLines.Order.self, $0)) ?? .usage)
      }
      feed.finish()
    }
    return orders
  }

  static func say<Line: Encodable>(_ line: Line) {
    // If the parent is gone, the end of the input will say so.
    guard let bytes = try? PeerLines.encode(line) else { return }
    try? FileHandle.standardOutput.write(contentsOf: bytes)
  }
}
