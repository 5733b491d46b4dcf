// Package serde turns typed values into the bytes of Kafka records and back, and does nothing else: no topics, no
// clients.
//
//	           Append                     Decode
//	value T ───────────► []byte (Kafka) ───────────► value T
//
// The built-in serdes write the bytes of Kafka's own serializers, so that programs in other languages read them:
//
//	String   UTF-8                       Float32, Float64  IEEE 754, big endian
//	Bytes    as they are                 Bool              one byte, 0 or 1
//	Int16, Int32, Int64  big endian      UUID              36 characters of text
//	                                     Void              always null
//
// Of finds the built-in serde of a type; for everything else a serde is said: JSON, Binary, Func, or one made of another
// by Convert, List and Nullable.
//
//	var Orders = topology.NewTopic("orders", serde.String, serde.JSON[Order]())
//
// # Null
//
// Kafka's null is not a value: a record without a key or value carries that as a bit of its own, and its serde is not
// called. Only serdes that are Nullers (Void, and those made by Nullable) take part: they write some values as null, and
// read a null by Decode(nil). An empty slice is not null. Hence Append must be given a dst that is not nil where the
// result may be empty: appending nothing to nil gives nil.
//
// # Errors
//
// A Decode that fails says what was expected and what came: "serde: int64 wants 8 bytes, got 5". In a topology such an
// error becomes a record error, which the topic's error policy decides about.
package serde
