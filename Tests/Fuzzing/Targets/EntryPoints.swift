import Foundation
import NIOCore
import Synchronization

/// What the C entry of the fuzzer calls.

/// Whether there is such a target; if not, the names of all are printed. Its seeds and its kept inputs are in `folder`
/// afterwards, if one is given.
@_cdecl("raft_mux_fuzz_prepare")
public func prepareFuzzing(_ target: UnsafePointer<CChar>, _ folder: UnsafePointer<CChar>?) -> Bool {
  let name = unsafe String(cString: target)
  guard let found = FuzzTarget.named(name) else {
    print("The targets are: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    return false
  }
  current.withLock { $0 = found }
  guard let folder = unsafe folder else { return true }
  do {
    try FuzzInputs.write(name, to: URL(fileURLWithPath: unsafe String(cString: folder)))
  } catch {
    print("cannot write the seeds: \(error)")
    return false
  }
  return true
}

/// Runs the chosen target and traps on a finding, as fuzzers want it.
@_cdecl("raft_mux_fuzz_one")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe ByteBuffer(bytes: UnsafeBufferPointer(start: bytes, count: count))
  do {
    try current.withLock { $0 }?.run(input)
  } catch {
    // The fuzzer takes a trap for a finding; the text is that of the trap.
    fatalError("FINDING: \(error)")
  }
  return 0
}

/// What the command line chose.
private let current = Mutex<FuzzTarget?>(nil)
