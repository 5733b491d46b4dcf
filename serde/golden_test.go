package serde_test

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/serde"
)

//go:embed testdata/kafka.tsv
var kafkaBytes string

// agree checks that s writes v as Kafka did, and reads Kafka's bytes as v.
func agree[T any](t *testing.T, s serde.Serde[T], v T, want []byte) {
	t.Helper()
	got, err := s.Append([]byte("before"), v)
	if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("Append(%v) = %x, %v; Kafka writes %x", v, got[len("before"):], err, want)
	}
	read, err := s.Decode(want)
	if err != nil {
		t.Fatalf("Decode(%x): %v", want, err)
	}
	if again, err := s.Append([]byte{}, read); err != nil || !bytes.Equal(again, want) {
		t.Errorf("Decode(%x) = %v, which is written as %x, %v", want, read, again, err)
	}
}

func TestBuiltinsWriteTheBytesOfKafkasSerializers(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(kafkaBytes) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		kind, text := f[0], f[1]
		want, err := hex.DecodeString(strings.TrimPrefix(f[2], "null"))
		if err != nil {
			t.Fatal(err)
		}
		seen[kind] = true
		t.Run(kind+" "+text, func(t *testing.T) {
			switch kind {
			case "string":
				agree(t, serde.String, text, want)
			case "bytes":
				v, _ := hex.DecodeString(text)
				agree(t, serde.Bytes, v, want)
			case "int16":
				agree(t, serde.Int16, int16(integer(t, text)), want)
			case "int32":
				agree(t, serde.Int32, int32(integer(t, text)), want)
			case "int64":
				agree(t, serde.Int64, integer(t, text), want)
			case "float32":
				agree(t, serde.Float32, float32From(t, text), want)
			case "float64":
				agree(t, serde.Float64, float64From(t, text), want)
			case "bool":
				agree(t, serde.Bool, text == "true", want)
			case "uuid":
				var v [16]byte
				b, _ := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
				copy(v[:], b)
				agree(t, serde.UUID, v, want)
			case "void":
				if f[2] != "null" || !serde.Void.(serde.Nuller[struct{}]).IsNull(struct{}{}) {
					t.Error("void is not written as null")
				}
				agree(t, serde.Void, struct{}{}, want)
			default:
				t.Errorf("no test for %q", kind)
			}
		})
	}
	if len(seen) != 10 {
		t.Errorf("%d kinds in the golden file, want one for each built-in: %v", len(seen), seen)
	}
}

func integer(t *testing.T, text string) int64 {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func float32From(t *testing.T, text string) float32 {
	if bits, ok := strings.CutPrefix(text, "NaN:"); ok {
		v, _ := strconv.ParseUint(bits, 16, 32)
		return math.Float32frombits(uint32(v))
	}
	if text == "NaN" {
		return math.Float32frombits(0x7fc00000)
	}
	v, err := strconv.ParseFloat(text, 32)
	if err != nil {
		t.Fatal(err)
	}
	return float32(v)
}

func float64From(t *testing.T, text string) float64 {
	if bits, ok := strings.CutPrefix(text, "NaN:"); ok {
		v, _ := strconv.ParseUint(bits, 16, 64)
		return math.Float64frombits(v)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
