package serde

import "fmt"

// The built-in serdes; byte formats are those of Kafka's own serializers. Append allocates nothing while dst has room.
var (
	// String writes the bytes of the string, which are taken for UTF-8 and not checked. Decode copies them.
	String Serde[string] = stringSerde{}
	// Bytes writes a slice as it is; nil is written as empty, not as null. Decode returns src itself, without a copy:
	// in a topology the slice is valid while its record is being processed. Do not change it, and copy it
	// (bytes.Clone) to keep it longer.
	Bytes Serde[[]byte] = bytesSerde{}
	// Int16 writes 2 bytes, big endian.
	Int16 Serde[int16] = int16Serde{}
	// Int32 writes 4 bytes, big endian.
	Int32 Serde[int32] = int32Serde{}
	// Int64 writes 8 bytes, big endian.
	Int64 Serde[int64] = int64Serde{}
	// Float32 writes the 4 bytes of IEEE 754 single precision, big endian.
	Float32 Serde[float32] = float32Serde{}
	// Float64 writes the 8 bytes of IEEE 754 double precision, big endian; every NaN is written as 7ff8000000000000,
	// as Java does.
	Float64 Serde[float64] = float64Serde{}
	// Bool writes one byte, 1 for true and 0 for false; Decode accepts no other.
	Bool Serde[bool] = boolSerde{}
	// UUID writes the usual text of 36 characters in lower case; Decode takes upper case too.
	UUID Serde[[16]byte] = uuidSerde{}
	// Void writes Kafka's null for every value: for topics without keys, or without values. A store keeps no row for a
	// null, so the values of a set are better a Bool.
	Void Serde[struct{}] = voidSerde{}
)

// Of returns the built-in serde of T, if T is one of the built-in types: string, []byte, int16, int32, int64, float32,
// float64, bool, [16]byte and struct{}. A type defined from one of these (type ID string) is not: say Convert.
func Of[T any]() (Serde[T], bool) {
	var s any
	switch any((*T)(nil)).(type) {
	case *string:
		s = stringSerde{}
	case *[]byte:
		s = bytesSerde{}
	case *int16:
		s = int16Serde{}
	case *int32:
		s = int32Serde{}
	case *int64:
		s = int64Serde{}
	case *float32:
		s = float32Serde{}
	case *float64:
		s = float64Serde{}
	case *bool:
		s = boolSerde{}
	case *[16]byte:
		s = uuidSerde{}
	case *struct{}:
		s = voidSerde{}
	default:
		return nil, false
	}
	return s.(Serde[T]), true
}

// size is the error of a fixed-size value of the wrong length.
func size(name string, want int, src []byte) error {
	unit := "bytes"
	if want == 1 {
		unit = "byte"
	}
	return fmt.Errorf("serde: %s wants %d %s, got %d", name, want, unit, len(src))
}
