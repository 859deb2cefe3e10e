using LoraServe.Adapters;
using LoraServe.Adapters.Merging;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Extraction;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Training.Tests.Ranks.Extraction;

public sealed class AdapterExtractionTests : IDisposable
{
    private const int Rank = 3;
    private static readonly string[] s_everything = ["all-linear"];
    private readonly Transformer _model = TinyModel.Create(2);

    [Fact]
    public void Run_ModelWithAMergedAdapter_GivesItsChangeBack()
    {
        IBaseModel tuned = Merged();

        ExtractionResult result = AdapterExtraction.Run(_model, tuned, _model.Modules, Options(new FixedRankPolicy(Rank)));

        Assert.Equal(_model.Modules.Count, result.Pairs.Length);
        Assert.All(result.Pairs, pair => Assert.InRange(pair.Quality.RelativeError, 0, 1e-5));
        Assert.InRange(result.Quality.RelativeError, 0, 1e-5);
        Assert.Empty(result.Lost);
    }

    [Fact]
    public void Run_ByEnergy_FindsTheRankOfEachMap()
    {
        int steps = 0;
        ExtractionOptions options = Options(new EnergyPolicy(0.9999));

        ExtractionResult result = AdapterExtraction.Run(
            _model, Merged(), RankTargets.Select(_model, s_everything), options, () => Interlocked.Increment(ref steps));

        Assert.All(result.Pairs, pair => Assert.Equal(Rank, pair.Pair.Rank));
        Assert.All(result.Pairs, pair => Assert.InRange(pair.Retained!.Value, 0.9999, 1));
        Assert.Equal(AdapterExtraction.StepCount(options, result.Pairs.Length), steps);
    }

    [Fact]
    public void Run_TooLowARank_SaysWhatItLoses()
    {
        ExtractionResult result = AdapterExtraction.Run(_model, Merged(), _model.Modules, Options(new FixedRankPolicy(1)));

        Assert.All(result.Pairs, pair => Assert.InRange(pair.Quality.RelativeError, 0.3, 0.95));
        Assert.False(result.Quality.IsAcceptable);
    }

    [Fact]
    public void Run_ChangesThatPairsCannotHold_AreNamed()
    {
        using var other = TinyModel.Create(3);

        ExtractionResult result = AdapterExtraction.Run(_model, other, RankTargets.Select(_model, ["q_proj"]), Options(new FixedRankPolicy(Rank)));

        Assert.Equal(_model.LayerCount, result.Pairs.Length);
        Assert.Contains(result.Lost, lost => lost.Parameter == "model.embed_tokens.weight");
        Assert.Contains(result.Lost, lost => lost.Parameter == "model.layers.1.mlp.down_proj.weight");
        Assert.Contains(result.Lost, lost => lost.Parameter == "model.layers.0.self_attn.q_proj.bias");
        Assert.Contains(result.Lost, lost => lost.Parameter == "model.norm.weight" && lost.RelativeChange > 0.05);
        Assert.DoesNotContain(result.Lost, lost => lost.Parameter == "model.layers.0.self_attn.q_proj.weight");
        Assert.Equal(result.Lost.OrderByDescending(lost => lost.RelativeChange), result.Lost.AsEnumerable());
    }

    [Fact]
    public void Run_Alpha_IsTheScaleTimesTheRank()
    {
        ExtractionResult result = AdapterExtraction.Run(
            _model, Merged(), RankTargets.Select(_model, ["v_proj"]), Options(new FixedRankPolicy(Rank)) with { Alpha = 12 });

        Assert.All(result.Pairs, pair => Assert.Equal(12f / Rank, pair.Pair.Scale));
        Assert.InRange(result.Quality.RelativeError, 0, 1e-5);
    }

    [Fact]
    public void Run_LayersLeftOut_AreLostByName()
    {
        ExtractionResult result = AdapterExtraction.Run(
            _model, Merged(), RankTargets.Select(_model, s_everything), Options(new LayerKindPolicy(attention: Rank, mlp: 0)));

        Assert.All(result.Pairs, pair => Assert.Contains("self_attn", pair.Module.Path, StringComparison.Ordinal));
        Assert.Contains(result.Lost, lost => lost.Parameter == "model.layers.0.mlp.up_proj.weight");
    }

    [Fact]
    public void Run_EqualCheckpoints_AreRefused()
    {
        using var twin = TinyModel.Create(2);

        Assert.Contains("nothing to extract", Refusal(twin, new FixedRankPolicy(Rank)), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CheckpointsOfOtherShapes_AreRefusedByName()
    {
        using var shallow = TinyModel.Create(2, spec: TinyModel.DefaultSpec with { LayerCount = 1, Windows = [0] });
        using var wide = TinyModel.Create(2, spec: TinyModel.DefaultSpec with { FeedForwardWidth = 128 });

        Assert.Contains("layers", Refusal(shallow, new FixedRankPolicy(Rank)), StringComparison.Ordinal);
        Assert.Contains("mlp.gate_proj [96, 64]", Refusal(wide, new FixedRankPolicy(Rank)), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_PolicyThatLacksSomething_SaysWhat() => Assert.Contains("kind of task", Refusal(Merged(), new TaskKindPolicy()), StringComparison.Ordinal);

    [Fact]
    public void Select_UnknownName_IsRefused() =>
        Assert.Contains("q_proj", Assert.Throws<RankChoiceException>(() => RankTargets.Select(_model, ["w_proj"])).Message, StringComparison.Ordinal);

    [Fact]
    public void Select_NothingNamed_IsEveryLinearMapOfTheLayers() =>
        Assert.Equal(_model.Modules.Where(module => module.Site.Layer >= 0), RankTargets.Select(_model, []));

    public void Dispose() => _model.Dispose();

    private static ExtractionOptions Options(IRankPolicy policy) => new() { Policy = policy, Workers = 2 };

    private MergedModel Merged() => MergedModel.Create(_model, TinyModel.CreateAdapter(_model, 7, Rank));

    private string Refusal(IBaseModel tuned, IRankPolicy policy) =>
        Assert.Throws<RankChoiceException>(() => AdapterExtraction.Run(_model, tuned, RankTargets.Select(_model, []), Options(policy))).Message;
}
