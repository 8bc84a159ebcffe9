package record_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

func TestLogKeepsOrderAcrossChunks(t *testing.T) {
	var l record.Log[int]
	const n = 5000 // several chunks
	refs := make([]record.Ref, n)
	for i := range n {
		refs[i] = l.Add(i)
	}
	l.Update(refs[3000], func(v *int) { *v = -1 })
	rows := slices.Collect(l.All())
	if len(rows) != n || l.Len() != n {
		t.Fatalf("got %d rows and length %d, want %d", len(rows), l.Len(), n)
	}
	for i, v := range rows {
		if want := i; v != want && (i != 3000 || v != -1) {
			t.Fatalf("row %d: got %d", i, v)
		}
	}
	l.Reset()
	l.Add(7)
	l.Update(refs[0], func(v *int) { *v = 99 })
	if rows := slices.Collect(l.All()); !slices.Equal(rows, []int{7}) {
		t.Errorf("after a reset, and an update of an old row: got %v, want [7]", rows)
	}
}

func TestLogIsSafeWhileRead(_ *testing.T) {
	var l record.Log[int]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 3000 {
				ref := l.Add(i)
				l.Update(ref, func(v *int) { *v++ })
			}
		})
	}
	for l.Len() < 12000 {
		for range l.All() {
		}
	}
	wg.Wait()
}

func TestRowsSurviveNDJSON(t *testing.T) {
	rows := []record.Packet{
		{
			Time: time.Unix(5, 6).UTC(), Node: netip.MustParseAddr("198.18.0.11"), Port: 80,
			Peer: netip.MustParseAddrPort("198.18.0.1:733"), Kind: record.SYN, Retransmit: true, Probe: true,
		},
		{Time: time.Unix(7, 0).UTC(), Node: netip.MustParseAddr("198.18.0.12"), Kind: record.Data, Bytes: 9, Seq: "4", Fault: "silence"},
	}
	var b bytes.Buffer
	if err := record.Write(&b, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b.Bytes(), []byte("\n")); lines != 2 {
		t.Errorf("got %d lines, want 2", lines)
	}
	got, err := record.Read[record.Packet](&b)
	if err != nil || !reflect.DeepEqual(got, []record.Packet{rows[0], rows[1]}) {
		// An empty Peer has no text form: it comes back as it was.
		t.Errorf("got %+v, %v\nwant %+v", got, err, rows)
	}
	if _, err := record.Read[record.Packet](bytes.NewBufferString("{\"port\":1}\n{\"po")); err == nil {
		t.Error("got no error for a cut stream")
	}
}

func TestProbePorts(t *testing.T) {
	for port, want := range map[uint16]bool{699: false, 700: true, 799: true, 800: false} {
		if got := record.IsProbe(netip.AddrPortFrom(netip.IPv4Unspecified(), port)); got != want {
			t.Errorf("port %d: got %t, want %t", port, got, want)
		}
	}
}
