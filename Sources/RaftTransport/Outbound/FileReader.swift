import DequeModule
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads one file from its beginning to its end, ahead of whoever takes the pieces, on a thread pool.
///
/// Each piece is read by a job of its own at a place of its own, so that none waits for another; the pieces come in
/// order. The file is closed when the last of those who use it has let go.
final class FileReader {
  /// The size of a piece but the last, in bytes.
  static let pieceSize = 512 * 1_024
  /// How many pieces are read ahead.
  static let readAhead = 3

  private let path: String
  private let threads: NIOThreadPool
  private var file: OpenFile?
  private var jobs: Deque<PoolJob<ByteBuffer>> = []
  private var position: Int64 = 0
  private var isAtEnd = false

  init(path: String, threads: NIOThreadPool = .singleton) {
    self.path = path
    self.threads = threads
  }

  deinit {
    for job in jobs { job.abandon() }
  }

  /// Pieces that were read ahead or are being read.
  var jobsUnderWay: Int { jobs.count }

  /// The next piece; `nil` at the end. One task at a time may wait.
  func next() async throws -> ByteBuffer? {
    if isAtEnd { return nil }
    if file == nil {
      let path = self.path
      file = try await PoolJob(on: threads) { try OpenFile(path: path, pieceSize: Self.pieceSize) }.value()
    }
    guard let file else { return nil }
    while jobs.count < Self.readAhead {
      let position = self.position
      self.position += Int64(Self.pieceSize)
      jobs.append(PoolJob(on: threads) { try file.read(at: position, count: Self.pieceSize) })
    }
    guard let job = jobs.popFirst() else { return nil }
    do {
      let piece = try await job.value()
      if piece.readableBytes < Self.pieceSize { letGo() }
      return piece.readableBytes > 0 ? piece : nil
    } catch {
      letGo()
      throw error
    }
  }

  private func letGo() {
    isAtEnd = true
    for job in jobs { job.abandon() }
    jobs = []
    file = nil
  }
}

/// A file that is read at any place by several threads; closed by the last one that holds it.
private final class OpenFile: Sendable {
  private let descriptor: CInt
  private let memory: Mutex<RecycledBuffers>

  init(path: String, pieceSize: Int) throws {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open") }
    memory = Mutex(RecycledBuffers(capacity: pieceSize, limit: 12))
  }

  deinit {
    // A descriptor that was only read has nothing to report when it is closed.
    _ = close(descriptor)
  }

  /// So many bytes, or fewer where the file ends.
  func read(at position: Int64, count: Int) throws -> ByteBuffer {
    var piece = memory.withLock { $0.take() }
    // The kernel writes at most as many bytes as there is room for behind the pointer, and does not keep it.
    try unsafe piece.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
      var filled = 0
      while filled < count {
        let place = off_t(position) + off_t(filled)
        let status = unsafe pread(descriptor, room.baseAddress?.advanced(by: filled), count - filled, place)
        if status == 0 { break }
        if status < 0 {
          if errno == EINTR { continue }
          throw IOError(errnoCode: errno, reason: "pread")
        }
        filled += status
      }
      return filled
    }
    let filled = piece
    memory.withLock { $0.keep(filled) }
    return piece
  }
}
