package main

import "encoding/binary"

// wordSum is the checksum of raft-mux bench: two running sums over little-endian 64-bit words, the last one padded
// with zeros.
type wordSum struct {
	sum, sumOfSums uint64
	partial        uint64
	partialBits    uint
}

func (s *wordSum) update(bytes []byte) {
	for s.partialBits != 0 && len(bytes) > 0 {
		s.add(bytes[0])
		bytes = bytes[1:]
	}
	sum, sumOfSums := s.sum, s.sumOfSums
	for len(bytes) >= 8 {
		sum += binary.LittleEndian.Uint64(bytes)
		sumOfSums += sum
		bytes = bytes[8:]
	}
	s.sum, s.sumOfSums = sum, sumOfSums
	for _, b := range bytes {
		s.add(b)
	}
}

// Write lets a sum stand at the end of a copy.
func (s *wordSum) Write(bytes []byte) (int, error) {
	s.update(bytes)
	return len(bytes), nil
}

func (s wordSum) value() uint64 {
	if s.partialBits != 0 {
		s.endWord()
	}
	return s.sum ^ (s.sumOfSums<<32 | s.sumOfSums>>32)
}

func (s *wordSum) add(b byte) {
	s.partial |= uint64(b) << s.partialBits
	s.partialBits += 8
	if s.partialBits == 64 {
		s.endWord()
	}
}

func (s *wordSum) endWord() {
	s.sum += s.partial
	s.sumOfSums += s.sum
	s.partial, s.partialBits = 0, 0
}
