package main

// The upgrade that the second flavour of this program knows.

import (
	"context"

	storetypes "cosmossdk.io/store/types"
	upgradetypes "cosmossdk.io/x/upgrade/types"

	"github.com/cosmos/cosmos-sdk/types/module"
)

// upgradeTo names the upgrade this binary was made for; none in the first
// flavour. Set when linking: -X main.upgradeTo=v2.
var upgradeTo string

// knowUpgrade lets this binary go on where the chain stops for the upgrade. A
// binary without it halts there; a binary with it halts before.
func (a *app) knowUpgrade() {
	if upgradeTo == "" {
		return
	}
	migrate := func(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
		return a.ModuleManager.RunMigrations(ctx, a.Configurator(), from)
	}
	a.upgrade.SetUpgradeHandler(upgradeTo, migrate)
	// No store is added or dropped, yet the loader is set as a real upgrade does:
	// it is the part that reads upgrade-info.json.
	if info, err := a.upgrade.ReadUpgradeInfoFromDisk(); err == nil && info.Name == upgradeTo {
		a.SetStoreLoader(upgradetypes.UpgradeStoreLoader(info.Height, &storetypes.StoreUpgrades{}))
	}
}
