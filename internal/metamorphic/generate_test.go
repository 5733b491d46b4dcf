package metamorphic

import (
	"bytes"
	"fmt"
	"testing"
)

// A seed printed by a failure must make the case again.
func TestASeedAlwaysMakesTheSameCase(t *testing.T) {
	for seed := range uint64(50) {
		if !bytes.Equal(Generate(seed).JSON(), Generate(seed).JSON()) {
			t.Errorf("seed %d makes two cases", seed)
		}
	}
}

// Every family must be drawn, and the oracle must claim something of it: records that a sink really has.
func TestTheOracleClaimsSomethingOfEveryFamily(t *testing.T) {
	claimed, late := map[string]int{}, 0
	for seed := range uint64(600) {
		c := Generate(seed)
		w := enter(c.Partitions, c.Steps)
		something := false
		for _, s := range c.Sinks {
			something = something || s.expected != nil && len(merged(s.expected(w)...)) > 0
		}
		if !something {
			continue
		}
		for _, n := range c.Nodes {
			claimed[fmt.Sprint(n["op"])]++
			claimed[fmt.Sprint(n["op"], " ", n["kind"])]++
			if n["emit"] != nil {
				claimed[fmt.Sprint(n["kind"], " on close")]++
			}
			if n["advanceMs"] != nil {
				claimed["hopping"]++
			}
		}
		for i := 1; i < len(c.Steps); i++ {
			if c.Steps[i].Time < c.Steps[i-1].Time {
				late++
			}
		}
	}
	for _, family := range []string{
		"count", "reduce", "aggregate", "tableGroupBy", "suppress",
		"windowedBy time", "hopping", "windowedBy sliding", "windowedBy session", "time on close", "session on close",
		"joinStream inner", "joinStream left", "joinStream outer", "joinTable inner", "joinTable left",
		"joinTables inner", "joinTables left", "joinTables outer", "joinForeign inner", "joinForeign left",
	} {
		if claimed[family] < 3 {
			t.Errorf("%s: something is claimed of %d cases in 600", family, claimed[family])
		}
	}
	if late < 600 {
		t.Errorf("%d records are out of order in 600 cases", late)
	}
}

// The oracle finds partitions by itself; a mistake there would look like one of everything else. Values are Kafka's own.
func TestPlacesAreThoseOfKafka(t *testing.T) {
	for key, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536} {
		if got := place(key, 1<<30); got != int(want&0x7fffffff)%(1<<30) {
			t.Errorf("%s: %d", key, got)
		}
	}
}
