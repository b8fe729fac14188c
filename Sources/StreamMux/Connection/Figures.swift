package import NIOCore

/// What a connection knows about itself, for statistics.
package struct ConnectionFigures: Hashable, Sendable {
  /// Streams of both sides that are not forgotten, by class.
  package struct Streams: Hashable, Sendable {
    package var election = 0
    package var append = 0
    package var snapshot = 0

    package var total: Int { election + append + snapshot }

    package subscript(trafficClass: TrafficClass) -> Int {
      get {
        switch trafficClass {
        case .election: election
        case .append: append
        case .snapshot: snapshot
        }
      }
      set {
        switch trafficClass {
        case .election: election = newValue
        case .append: append = newValue
        case .snapshot: snapshot = newValue
        }
      }
    }
  }

  /// Frames of each type, behind the handshake.
  package struct Frames: Hashable, Sendable {
    package var data: UInt64 = 0
    package var credit: UInt64 = 0
    package var reset: UInt64 = 0
    package var stop: UInt64 = 0
    package var streams: UInt64 = 0
    package var ping: UInt64 = 0
    package var pong: UInt64 = 0
    package var goAway: UInt64 = 0
    package var ignorable: UInt64 = 0
  }

  /// Streams that the owner or the peer still uses.
  package var streams = Streams()
  /// Own streams that wait for the peer's stream credit or for memory.
  package var pendingOpens = 0
  /// Bytes received, handshake and framing included.
  package var bytesReceived: UInt64 = 0
  /// Bytes handed to transmissions, handshake and framing included.
  package var bytesSent: UInt64 = 0
  package var framesReceived = Frames()
  package var framesSent = Frames()
  /// Smoothed round-trip time; nil before the first measurement.
  package var smoothedRoundTrip: TimeAmount?
  /// Least round-trip time; nil before the first measurement.
  package var minimumRoundTrip: TimeAmount?
  /// Windows promised to live streams of the classes append and snapshot, bytes.
  package var reservedWindows = 0
  /// Bytes credited though they are held in incomplete messages.
  package var assembling = 0
  /// Control frames that wait, counting one per stream.
  package var waitingControl = 0

  package init() {}
}

/// What is known of one stream, for statistics.
package struct StreamFigures: Hashable, Sendable {
  package let opening: StreamOpening
  /// 0 while the OPEN was not framed.
  package let id: UInt64
  package let isOwn: Bool
  /// Written, not yet framed, bytes.
  package let queued: Int
  /// Framed, bytes.
  package let sent: UInt64
  /// May be framed before the peer has to give more credit, bytes.
  package let sendWindow: Int
  /// Arrived, bytes.
  package let received: UInt64
  /// Left the transport for good, bytes.
  package let consumed: UInt64
  /// The size of the receive window, bytes.
  package let receiveWindow: UInt32
  package let sending: SendingHalf
  package let receiving: ReceivingHalf
}
