package record

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every field of a row comes back: one that was added to a row and forgotten in its
// packed form fails here.
func TestEveryFieldIsKept(t *testing.T) {
	var attempts Attempts
	var connections Connections
	var packets Packets
	t.Run("attempt", func(t *testing.T) { testFields(t, &attempts) })
	t.Run("connection", func(t *testing.T) { testFields(t, &connections) })
	t.Run("packet", func(t *testing.T) { testFields(t, &packets) })
}

func testFields[T comparable, P any, F packed[T, P]](t *testing.T, l *Log[T, P, F]) {
	var zero T
	first, second := filled[T](t, 1), filled[T](t, 2)
	ref := l.Add(zero)
	l.Add(first)
	l.Update(ref, func(row *T) { *row = second })
	l.Update(l.Add(second), func(row *T) { *row = zero })
	if got, want := slices.Collect(l.All()), []T{second, first, zero}; !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// filled is a row of which no field is zero.
func filled[T any](t *testing.T, n int) (row T) {
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		text := fmt.Sprintf("%s of %d", v.Type().Field(i).Name, n)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Unix(int64(1e9+i), int64(n))))
		case netip.Addr:
			f.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{198, 18, byte(i), byte(n)})))
		case netip.AddrPort:
			f.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 15: byte(n)}), uint16(1000+i))))
		default:
			switch f.Kind() { //nolint:exhaustive // of the others a row has none
			case reflect.String:
				f.SetString(text)
			case reflect.Int, reflect.Int64:
				f.SetInt(int64(600 + i + n))
			case reflect.Uint16, reflect.Uint64:
				f.SetUint(uint64(600 + i + n))
			case reflect.Float64:
				f.SetFloat(float64(i) + 1/float64(2*n))
			case reflect.Bool:
				f.SetBool(true)
			default:
				t.Fatalf("field %s: this test cannot fill a %s yet", v.Type().Field(i).Name, f.Type())
			}
		}
	}
	return row
}

func TestTextsOfAnyLength(t *testing.T) {
	var kept texts
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 70000, 1 << 21} {
		want := strings.Repeat("x", n)
		at := kept.put(0, want)
		if got := at.in(kept.all.String()); got != want {
			t.Errorf("length %d: got %d bytes back", n, len(got))
		}
		size := kept.all.Len()
		if again := kept.put(0, want); again != at || kept.all.Len() != size {
			t.Errorf("length %d: kept twice", n)
		}
	}
}
