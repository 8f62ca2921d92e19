package main

// Which modules the chain has, and in which order each block runs them.

import (
	runtimev1alpha1 "cosmossdk.io/api/cosmos/app/runtime/v1alpha1"
	appv1alpha1 "cosmossdk.io/api/cosmos/app/v1alpha1"
	authmodulev1 "cosmossdk.io/api/cosmos/auth/module/v1"
	authzmodulev1 "cosmossdk.io/api/cosmos/authz/module/v1"
	bankmodulev1 "cosmossdk.io/api/cosmos/bank/module/v1"
	consensusmodulev1 "cosmossdk.io/api/cosmos/consensus/module/v1"
	distrmodulev1 "cosmossdk.io/api/cosmos/distribution/module/v1"
	evidencemodulev1 "cosmossdk.io/api/cosmos/evidence/module/v1"
	feegrantmodulev1 "cosmossdk.io/api/cosmos/feegrant/module/v1"
	genutilmodulev1 "cosmossdk.io/api/cosmos/genutil/module/v1"
	govmodulev1 "cosmossdk.io/api/cosmos/gov/module/v1"
	mintmodulev1 "cosmossdk.io/api/cosmos/mint/module/v1"
	slashingmodulev1 "cosmossdk.io/api/cosmos/slashing/module/v1"
	stakingmodulev1 "cosmossdk.io/api/cosmos/staking/module/v1"
	txconfigv1 "cosmossdk.io/api/cosmos/tx/config/v1"
	upgrademodulev1 "cosmossdk.io/api/cosmos/upgrade/module/v1"
	vestingmodulev1 "cosmossdk.io/api/cosmos/vesting/module/v1"
	"cosmossdk.io/core/appconfig"
	"cosmossdk.io/depinject"
	_ "cosmossdk.io/x/evidence"
	_ "cosmossdk.io/x/feegrant/module"
	_ "cosmossdk.io/x/upgrade"

	"github.com/cosmos/cosmos-sdk/types/module"
	_ "github.com/cosmos/cosmos-sdk/x/auth"
	_ "github.com/cosmos/cosmos-sdk/x/auth/tx/config"
	_ "github.com/cosmos/cosmos-sdk/x/auth/vesting"
	_ "github.com/cosmos/cosmos-sdk/x/authz/module"
	_ "github.com/cosmos/cosmos-sdk/x/bank"
	_ "github.com/cosmos/cosmos-sdk/x/consensus"
	_ "github.com/cosmos/cosmos-sdk/x/distribution"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	_ "github.com/cosmos/cosmos-sdk/x/gov"
	_ "github.com/cosmos/cosmos-sdk/x/mint"
	_ "github.com/cosmos/cosmos-sdk/x/slashing"
	_ "github.com/cosmos/cosmos-sdk/x/staking"
)

// The SDK asks that each module which acts at one of these moments be named.
// Slashing comes before evidence, as on the Hub: who is jailed for downtime in
// a block can still be tombstoned in it.
var (
	preBlock    = []string{"upgrade", "auth"}
	beginBlock  = []string{"mint", "distribution", "slashing", "evidence", "staking", "authz"}
	endBlock    = []string{"gov", "staking", "feegrant"}
	initGenesis = []string{
		"auth", "bank", "distribution", "staking", "slashing", "gov", "mint", "genutil",
		"evidence", "authz", "feegrant", "upgrade", "vesting", "consensus",
	}
)

// chainModules is the chain as depinject wants it told.
func chainModules() depinject.Config {
	w := appconfig.WrapAny
	modules := []*appv1alpha1.ModuleConfig{
		{Name: "runtime", Config: w(&runtimev1alpha1.Module{
			AppName:           "hubd",
			PreBlockers:       preBlock,
			BeginBlockers:     beginBlock,
			EndBlockers:       endBlock,
			InitGenesis:       initGenesis,
			OverrideStoreKeys: []*runtimev1alpha1.StoreKeyConfig{{ModuleName: "auth", KvStoreKey: "acc"}},
		})},
		{Name: "auth", Config: w(&authmodulev1.Module{
			Bech32Prefix:             "cosmos",
			ModuleAccountPermissions: moduleAccounts(),
		})},
		{Name: "vesting", Config: w(&vestingmodulev1.Module{})},
		{Name: "bank", Config: w(&bankmodulev1.Module{})},
		{Name: "staking", Config: w(&stakingmodulev1.Module{})},
		{Name: "slashing", Config: w(&slashingmodulev1.Module{})},
		{Name: "tx", Config: w(&txconfigv1.Config{})},
		{Name: "genutil", Config: w(&genutilmodulev1.Module{})},
		{Name: "authz", Config: w(&authzmodulev1.Module{})},
		{Name: "feegrant", Config: w(&feegrantmodulev1.Module{})},
		{Name: "upgrade", Config: w(&upgrademodulev1.Module{})},
		{Name: "distribution", Config: w(&distrmodulev1.Module{})},
		{Name: "evidence", Config: w(&evidencemodulev1.Module{})},
		{Name: "mint", Config: w(&mintmodulev1.Module{})},
		{Name: "gov", Config: w(&govmodulev1.Module{})},
		{Name: "consensus", Config: w(&consensusmodulev1.Module{})},
	}
	return depinject.Configs(
		appconfig.Compose(&appv1alpha1.Config{Modules: modules}),
		depinject.Supply(map[string]module.AppModuleBasic{
			genutiltypes.ModuleName: genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
		}),
	)
}

// moduleAccounts says what each module may do with coins.
func moduleAccounts() []*authmodulev1.ModuleAccountPermission {
	may := func(account string, permissions ...string) *authmodulev1.ModuleAccountPermission {
		return &authmodulev1.ModuleAccountPermission{Account: account, Permissions: permissions}
	}
	return []*authmodulev1.ModuleAccountPermission{
		may("fee_collector"),
		may("distribution"),
		may("mint", "minter"),
		may("bonded_tokens_pool", "burner", "staking"),
		may("not_bonded_tokens_pool", "burner", "staking"),
		may("gov", "burner"),
	}
}
