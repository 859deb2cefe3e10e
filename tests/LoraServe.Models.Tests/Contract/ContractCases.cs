using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Contract;

/// <summary>What the contract is tested over: devices, shapes of models that between them have all that a spec can say, batches.</summary>
public static class ContractCases
{
    /// <summary>A small model whose rows fill no vector, of two layers, the second with a window.</summary>
    internal static TransformerSpec Spec { get; } = TinyModel.DefaultSpec with { Width = 20, HeadSize = 6, FeedForwardWidth = 28, VocabularySize = 37, Windows = [0, 5] };

    // Where nothing is turned, a bias of keys would change nothing without a norm of them.
    private static TransformerSpec WithNormsOfHeads => Spec with { LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.Query, NormRole.Key] };

    private static readonly Dictionary<string, TransformerSpec> s_shapes = new()
    {
        ["biases of queries, keys and values"] = Spec,
        ["biases everywhere"] = Spec with { Biases = [.. Enumerable.Range(0, (int)SiteRole.Head).Select(role => (SiteRole)role)] },
        ["tied head"] = Spec with { TiedHead = true, Biases = [] },
        ["norms after sublayers"] = Spec with { LayerNorms = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp, NormRole.AfterMlp] },
        ["GELU gate"] = Spec with { MlpActivation = Activation.TanhGelu },
        ["query scale"] = Spec with { QueryScale = 0.3f },
        ["embedding scale"] = Spec with { EmbeddingScale = 3 },
        ["logit cap"] = Spec with { LogitCap = 2 },
        ["queries, keys and values in one map"] = Spec with { Linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Gate, SiteRole.Up, SiteRole.Down], Biases = [SiteRole.QueryKeyValue] },
        ["head by head in one map"] = Spec with { Linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.GateUp, SiteRole.Down], KeyValueHeads = 4, FusesByHead = true },
        ["gate and up in one map"] = Spec with { Linears = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output, SiteRole.GateUp, SiteRole.Down] },
        ["MLP without a gate"] = Spec with { Linears = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output, SiteRole.Up, SiteRole.Down], MlpActivation = Activation.Gelu },
        ["norms of each head"] = WithNormsOfHeads with { Linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Gate, SiteRole.Up, SiteRole.Down] },
        ["norms of heads together and after sublayers alone"] = Spec with { LayerNorms = [NormRole.Query, NormRole.Key, NormRole.AfterAttention, NormRole.AfterMlp], NormsHeadsTogether = true },
        ["layer norms"] = Spec with { CentresNorms = true, LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.AfterMlp] },
        ["attention and MLP beside each other"] = Spec with { AddsInParallel = true, CentresNorms = true },
        ["learned positions"] = WithNormsOfHeads with { LearnsPositions = true, ContextLength = 64, EmbeddingScale = 2 },
        ["a part of heads turned"] = Spec with { Rope = Spec.Rope with { Size = 4 } },
        ["another rope with a window, and none"] = WithNormsOfHeads with { LayerCount = 3, Windows = [0, 5, 0], WindowRope = new RopeSpec { Theta = 100 }, Unrotated = [2] },
        ["bounded scores"] = Spec with { ScoreCap = 0.6f },
        ["scaled residuals and logits"] = Spec with { ResidualScale = 0.4f, LogitScale = 0.25f, LogitCap = 2, LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.AfterMlp] },
        ["gains above one"] = Spec with { GainOffset = 1 },
        ["experts"] = Spec with { Experts = new ExpertsSpec(4, 2, 12) },
        ["experts by their shares of all, and an MLP"] = Spec with { LayerCount = 3, Windows = [0, 5, 0], Experts = new ExpertsSpec(4, 3, 12) { SharesAddUp = false, DenseLayers = [1] } },
        ["wide enough to be shared out"] = Spec with { Width = 72, HeadSize = 24, FeedForwardWidth = 148, VocabularySize = 200 },
    };

    /// <summary>Devices and shapes of models.</summary>
    public static TheoryData<string, string> Shapes => Over(s_shapes.Keys);

    /// <summary>Devices and batches of segments.</summary>
    public static TheoryData<string, string> Arrangements => Over(Arrangement.All.Select(arrangement => arrangement.Name));

    /// <summary>Devices and batches of examples.</summary>
    public static TheoryData<string, string> Trainings => Over(TrainingCase.All.Select(training => training.Name));

    /// <summary>Devices alone.</summary>
    public static TheoryData<string> Devices => [.. Testing.Devices.All.Select(device => device.Name)];

    internal static TransformerSpec Shape(string name) => s_shapes[name];

    /// <summary>Every device with every case.</summary>
    internal static TheoryData<string, string> Over(IEnumerable<string> cases)
    {
        var data = new TheoryData<string, string>();
        foreach (TestedDevice device in Testing.Devices.All)
        {
            foreach (string name in cases)
            {
                data.Add(device.Name, name);
            }
        }

        return data;
    }
}
