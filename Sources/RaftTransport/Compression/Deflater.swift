internal import CZlib
package import NIOCore

/// Owns one zlib compressor (about 270 KB) and makes complete zlib streams with it, one after the other.
///
/// zlib keeps a pointer to its `z_stream`, which must therefore not move: it lives on the heap, allocated and
/// freed by this owner, that cannot be copied.
@safe
package struct Deflater: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter level: 1 (fast) ... 9 (small).
  /// - Throws: ``ZlibError`` when there is no memory for it.
  package init(level: Int) throws(ZlibError) {
    precondition((1...9).contains(level))
    unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe czlib_deflate_init(stream, Int32(level))
    guard status == Z_OK else {
      unsafe stream.deallocate()
      throw ZlibError(status: status)
    }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Compresses `pieces`, taken together, into one zlib stream and appends it to `output`.
  ///
  /// - Parameter limit: the most bytes that may be appended.
  /// - Returns: whether the stream fitted; if not, `output` is as it was.
  package mutating func deflate(_ pieces: [ByteBuffer], into output: inout ByteBuffer, limit: Int) -> Bool {
    guard limit > 0 else { return false }
    let status = unsafe deflateReset(stream)
    precondition(status == Z_OK, "a compressor that was initialised can be reset")
    var isComplete = false
    let start = output.writerIndex
    unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { free in
      unsafe stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe stream.pointee.avail_out = UInt32(limit)
      isComplete = run(pieces)
      return unsafe limit - Int(stream.pointee.avail_out)
    }
    // Neither pointer may outlive the buffers.
    unsafe stream.pointee.next_out = nil
    unsafe stream.pointee.avail_out = 0
    if !isComplete {
      output.moveWriterIndex(to: start)
    }
    return isComplete
  }

  private mutating func run(_ pieces: [ByteBuffer]) -> Bool {
    var status = Z_OK
    for (index, piece) in pieces.enumerated() {
      let flush = index == pieces.count - 1 ? Z_FINISH : Z_NO_FLUSH
      status = unsafe piece.withUnsafeReadableBytes { bytes in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        let status = unsafe CZlib.deflate(stream, flush)
        unsafe stream.pointee.next_in = nil
        return status
      }
      // Input that is left over means that the output is full.
      guard unsafe stream.pointee.avail_in == 0 else { return false }
    }
    return status == Z_STREAM_END
  }
}
