/// What the connection knows of one stream.
struct Stream: Sendable {
  /// Frames about this stream that wait in the control queue. Each kind waits at most once.
  struct Due: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    static let credit = Due(rawValue: 1 << 0)
    static let reset = Due(rawValue: 1 << 1)
    static let stop = Due(rawValue: 1 << 2)
  }

  let key: StreamKey
  let opening: StreamOpening
  let isOwn: Bool
  /// 0 until the frame with OPEN was cut.
  var id: UInt64
  var sending: SendingHalf
  var receiving: ReceivingHalf = .open

  var queue = SendQueue()
  var sendWindow: SendWindow
  var receiveWindow: ReceiveWindow

  /// Frames that wait in the control queue.
  var due: Due = []
  /// The code of the STOP that waits.
  var stopCode = ErrorCode.cancelled
  /// Whether the stream has an entry in the control queue.
  var isInControlQueue = false
  /// Whether the stream has an entry in one of the scheduler's rings.
  var isScheduled = false
  /// An election stream that queued too much and is treated as an append for good.
  var isDemoted = false

  /// Waits for stream credit or memory.
  var isPending = false
  /// Whether it counts against the stream credit of its class. A stream of an unknown class does not.
  var isCounted = true
  /// Whether it holds its initial window in the receive budget.
  var holdsBudget = false
  /// What it holds there beyond that, bytes.
  var grownWindow = 0
  var meter = ConsumptionMeter()
  /// The owner knows this stream and has not released it.
  var isOwned: Bool
  /// A stream of the peer that was answered by RESET and STOP instead of being shown to the owner.
  var isRefused = false
  /// The owner wants to hear no more bytes.
  var wasStopped = false
  /// The low-water mark of its queue, bytes; nil for that of the configuration.
  var lowWater: Int?
  /// The queue was above the low-water mark, and the owner was not told yet that it fell below.
  var wasAboveLowWater = false
  /// Whether a rejection was told: it is told once.
  var isRejected = false

  var isForgettable: Bool {
    !isOwned && sending.isEnded && receiving.isEnded && due.isEmpty
  }

  /// The class by which frames of this stream are scheduled.
  var scheduledClass: TrafficClass { isDemoted ? .append : opening.trafficClass }

  /// Whether a frame of this stream could be cut now.
  var isSendable: Bool {
    switch sending {
    case .unopened: !isPending
    case .ready: queue.isEmpty ? queue.endsAfterLastByte : sendWindow.available > 0
    case .finished, .reset: false
    }
  }
}
