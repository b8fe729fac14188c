internal import CZlib
package import NIOCore

/// Why bytes are not the one complete zlib stream of the expected length that they should be.
package enum InflateFailure: Error, Equatable, Sendable {
  /// zlib's reason: damaged data, a wrong header or a wrong Adler-32.
  case corrupt(String)
  case presetDictionary
  /// The input ended before the zlib stream did.
  case incomplete
  /// The zlib stream ended `count` bytes before the input did.
  case trailingInput(count: Int)
  case outputTooShort(produced: Int)
  case outputTooLong
  /// Not the data's fault.
  case unavailable(ZlibError)
}

/// Owns one zlib decompressor (about 45 KB) and reads complete zlib streams with it, one after the other.
///
/// Like ``Deflater`` it keeps its `z_stream` at one place on the heap.
@safe
package struct Inflater: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Throws: ``ZlibError`` when there is no memory for it.
  package init() throws(ZlibError) {
    unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe czlib_inflate_init(stream)
    guard status == Z_OK else {
      unsafe stream.deallocate()
      throw ZlibError(status: status)
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Decompresses `encoded`, which must be one complete zlib stream of exactly `rawLength` plain bytes.
  ///
  /// Memory for `rawLength` bytes is taken, and never more, whatever the input expands to (R-SNAP-7 to
  /// R-SNAP-9).
  package mutating func inflate(
    _ encoded: ByteBuffer, rawLength: Int, allocator: ByteBufferAllocator = ByteBufferAllocator()
  ) throws(InflateFailure) -> ByteBuffer {
    precondition(rawLength > 0)
    let status = unsafe inflateReset(stream)
    guard status == Z_OK else { throw .unavailable(ZlibError(status: status)) }
    var output = allocator.buffer(capacity: rawLength)
    var outcome = Outcome(status: Z_OK, unusedInput: 0, hasMoreOutput: false)
    unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: rawLength) { free in
      unsafe encoded.withUnsafeReadableBytes { bytes in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        unsafe stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(rawLength)
        outcome = run()
      }
      return outcome.hasMoreOutput ? rawLength : unsafe rawLength - Int(stream.pointee.avail_out)
    }
    // Neither pointer may outlive the buffers.
    unsafe stream.pointee.next_in = nil
    unsafe stream.pointee.next_out = nil
    try check(outcome, produced: output.readableBytes, rawLength: rawLength)
    return output
  }

  private struct Outcome {
    var status: Int32
    var unusedInput: Int
    var hasMoreOutput: Bool
  }

  private mutating func run() -> Outcome {
    var status = unsafe CZlib.inflate(stream, Z_FINISH)
    var hasMoreOutput = false
    if status == Z_BUF_ERROR || status == Z_OK, unsafe stream.pointee.avail_out == 0 {
      // The output is full: a single spare byte tells "there is more" from "the input is incomplete".
      var spare: UInt8 = 0
      unsafe withUnsafeMutablePointer(to: &spare) { pointer in
        unsafe stream.pointee.next_out = pointer
        unsafe stream.pointee.avail_out = 1
        status = unsafe CZlib.inflate(stream, Z_FINISH)
        hasMoreOutput = unsafe stream.pointee.avail_out == 0
        unsafe stream.pointee.avail_out = 0
      }
    }
    return unsafe Outcome(
      status: status, unusedInput: Int(stream.pointee.avail_in), hasMoreOutput: hasMoreOutput)
  }

  private func check(_ outcome: Outcome, produced: Int, rawLength: Int) throws(InflateFailure) {
    if outcome.hasMoreOutput {
      throw .outputTooLong
    }
    switch outcome.status {
    case Z_STREAM_END:
      if outcome.unusedInput > 0 {
        throw .trailingInput(count: outcome.unusedInput)
      }
      if produced < rawLength {
        throw .outputTooShort(produced: produced)
      }
    case Z_OK, Z_BUF_ERROR:
      throw .incomplete
    case Z_NEED_DICT:
      throw .presetDictionary
    case Z_DATA_ERROR:
      throw .corrupt(unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "no zlib stream")
    default:
      throw .unavailable(ZlibError(status: outcome.status))
    }
  }
}
