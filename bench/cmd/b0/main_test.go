package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const records = 20_000

func TestCopiesEveryRecordOnceAlsoWhenStoppedHalfWay(t *testing.T) {
	for _, g := range []contract.Guarantee{contract.ExactlyOnce, contract.AtLeastOnce} {
		b := enginetest.Start(t, "copy", records)
		b.Options.Guarantee = g
		b.Work(t, run, records/2)
		b.Work(t, run, records)
		b.Verify(t)
	}
}

func TestRefusesWhatItCannotDo(t *testing.T) {
	enginetest.Refuses(t, run, contract.Options{Guarantee: contract.AtMostOnce, Workers: 1}, "--guarantee eos or alos")
	enginetest.Refuses(t, run, contract.Options{Guarantee: contract.ExactlyOnce, Workers: 2}, "--workers 1")
}
