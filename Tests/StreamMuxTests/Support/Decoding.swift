import NIOCore
import StreamMux

/// What a decoder found, with the pieces of each DATA frame joined: the same for every way to cut the bytes.
enum Found: Equatable {
  case frame(Frame)
  case data(DataHeader, [UInt8])
  case ignorable(UInt8, Int)
}

/// All that is found in `pieces`, and the violation that ended it.
func decode(
  _ pieces: [ByteBuffer], isChecksummed: Bool = false, maximumFramePayload: Int = 65_536,
  isHandshaking: Bool = false
) -> (found: [Found], violation: Violation?) {
  var decoder = FrameDecoder(maximumFramePayload: maximumFramePayload)
  if !isHandshaking { decoder.endHandshake(isChecksummed: isChecksummed) }
  var found: [Found] = []
  var open: (header: DataHeader, bytes: [UInt8])?
  do throws(Violation) {
    for piece in pieces {
      decoder.append(piece)
      while let event = try decoder.next() {
        switch event {
        case .frame(let frame): found.append(.frame(frame))
        case .ignorable(let type, let length): found.append(.ignorable(type, length))
        case .data(let header): open = (header, [])
        case .payload(let slice, let isLast):
          open?.bytes += Array(slice.readableBytesView)
          guard isLast, let whole = open else { continue }
          found.append(.data(whole.header, whole.bytes))
          open = nil
        }
      }
    }
    return (found, nil)
  } catch {
    return (found, error)
  }
}

/// `whole` cut at the given places.
func cut(_ whole: ByteBuffer, at places: [Int]) -> [ByteBuffer] {
  let ends = places + [whole.readableBytes]
  let starts = [0] + places
  return zip(starts, ends).compactMap { start, end in
    whole.getSlice(at: whole.readerIndex + start, length: end - start)
  }
}
