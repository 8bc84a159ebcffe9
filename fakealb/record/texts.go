package record

import (
	"hash/maphash"
	"net/netip"
	"strings"
)

// text is where a string of a row is kept in its chunk's texts; 0 is the empty one.
type text uint32

// texts are the strings of a chunk of rows, one after the other, each behind its
// length. What was kept lately is not kept again: most strings of a row are those
// of the row before.
type texts struct {
	all    strings.Builder
	recent [64]text // by hash
}

// textSeed is of the hash in recent, which decides about nothing but memory.
var textSeed = maphash.MakeSeed()

// put keeps s and returns where. Before is where the row's old value is.
func (t *texts) put(before text, s string) text {
	if s == "" {
		return 0
	}
	all := t.all.String()
	if before.in(all) == s {
		return before
	}
	slot := &t.recent[maphash.String(textSeed, s)%uint64(len(t.recent))]
	if slot.in(all) == s {
		return *slot
	}
	n := len(s)
	for ; n >= 0x80; n >>= 7 {
		_ = t.all.WriteByte(byte(n) | 0x80)
	}
	_ = t.all.WriteByte(byte(n))
	_, _ = t.all.WriteString(s)
	*slot = text(len(all) + 1)
	return *slot
}

// in returns the string, given all strings of its chunk. It makes no copy.
func (t text) in(all string) string {
	if t == 0 {
		return ""
	}
	at, n := int(t)-1, 0
	for shift := 0; ; shift += 7 {
		b := all[at]
		at++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return all[at : at+n]
		}
	}
}

// putAddr keeps the bytes of an address; a zone is lost.
func (t *texts) putAddr(before text, a netip.Addr) text {
	switch {
	case !a.IsValid():
		return 0
	case a.Is4():
		b := a.As4()
		return t.put(before, string(b[:]))
	}
	b := a.As16()
	return t.put(before, string(b[:]))
}

// addr returns the address that putAddr kept.
func (t text) addr(all string) netip.Addr {
	a, _ := netip.AddrFromSlice([]byte(t.in(all)))
	return a
}
