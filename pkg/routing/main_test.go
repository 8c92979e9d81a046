package routing

import (
	"os"
	"testing"

	"junctor/pkg/testutil/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
