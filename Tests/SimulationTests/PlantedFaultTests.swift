#if DEBUG
  import RaftTransport
  import RaftTransportTesting
  import Testing

  /// What the simulation is worth: faults that were built in on purpose are found.
  @Suite("Faults that are planted in the product")
  struct PlantedFaultTests {
    /// The seeds that are tried until one finds the fault.
    static let seeds: ClosedRange<UInt64> = 1...20

    @Test("the simulation finds each of them", arguments: PlantedFault.allCases)
    func finds(fault: PlantedFault) {
      let finder = Self.seeds.first { seed in
        !ClusterSimulation(SimulationOptions(seed: seed, plantedFault: fault)).run().problems.isEmpty
      }
      #expect(finder != nil, "no seed of \(Self.seeds) finds \(fault)")
    }
  }
#endif
