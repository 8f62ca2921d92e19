// Command filepv measures CometBFT's own file signer, as the node calls it, for benches/src/bin/signer.
//
// It keeps key and state in the directory given, and then does what it is told on standard input: a line with a number
// signs that many votes, a prevote and a precommit for each height, and answers with one line of that many latencies in
// nanoseconds. Told so in turns with Beam's signer, both meet the same weather on the disk.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
)

const chainID = "beam-bench"

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: filepv DIR")
	}
	dir := os.Args[1]
	pv := privval.GenFilePV(filepath.Join(dir, "key.json"), filepath.Join(dir, "state.json"))
	pv.Save()

	height, step := int64(1), cmtproto.PrevoteType
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			log.Fatalf("not a number of votes: %v", err)
		}
		latencies := make([]string, 0, count)
		for range count {
			vote := voteFor(pv, height, step)
			began := time.Now()
			if err := pv.SignVote(chainID, vote); err != nil {
				log.Fatalf("the file signer refused: %v", err)
			}
			latencies = append(latencies, strconv.FormatInt(time.Since(began).Nanoseconds(), 10))
			if step == cmtproto.PrevoteType {
				step = cmtproto.PrecommitType
			} else {
				height, step = height+1, cmtproto.PrevoteType
			}
		}
		fmt.Println(strings.Join(latencies, " "))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func voteFor(pv *privval.FilePV, height int64, step cmtproto.SignedMsgType) *cmtproto.Vote {
	hash := make([]byte, 32)
	for i := range hash {
		hash[i] = byte(height >> (8 * (i % 8)))
	}
	return &cmtproto.Vote{
		Type:   step,
		Height: height,
		BlockID: cmtproto.BlockID{
			Hash:          hash,
			PartSetHeader: cmtproto.PartSetHeader{Total: 1, Hash: hash},
		},
		Timestamp:        time.Now().UTC(),
		ValidatorAddress: pv.GetAddress(),
	}
}
