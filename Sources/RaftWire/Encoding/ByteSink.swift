internal import NIOCore

/// Where a writer's bytes go. Encoding runs twice, first to measure and then to write, over the same code; inlined,
/// what is measured of constants costs nothing.
package protocol ByteSink {
  mutating func put(_ byte: UInt8)
  mutating func put<Value: FixedWidthInteger>(bigEndian value: Value)
  mutating func put(_ bytes: UnsafeRawBufferPointer)
}

/// Counts.
struct MeasuringSink: ByteSink {
  private(set) var count = 0

  @inline(__always)
  mutating func put(_: UInt8) { count += 1 }
  @inline(__always)
  mutating func put<Value: FixedWidthInteger>(bigEndian _: Value) { count += Value.bitWidth / 8 }
  @inline(__always)
  mutating func put(_ bytes: UnsafeRawBufferPointer) { count += bytes.count }
}

/// Fills memory that was measured before. Every access is checked, as a mistake in the encoder must not
/// become a write past the end.
@safe
struct MemorySink: ByteSink {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) {
    unsafe self.memory = memory
  }

  @inline(__always)
  mutating func put(_ byte: UInt8) {
    unsafe precondition(count < memory.count)
    unsafe memory[count] = byte
    count += 1
  }

  @inline(__always)
  mutating func put<Value: FixedWidthInteger>(bigEndian value: Value) {
    let width = Value.bitWidth / 8
    unsafe precondition(memory.count - count >= width)
    unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: Value.self)
    count += width
  }

  @inline(__always)
  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard unsafe !bytes.isEmpty else { return }
    unsafe precondition(memory.count - count >= bytes.count)
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
    count += bytes.count
  }
}
