using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Models;
using LoraServe.Models.Spec;
using LoraServe.Testing;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Training.Tests.Ranks.Policies;

public sealed class RankPolicyTests : IDisposable
{
    private readonly Transformer _model = TinyModel.Create(1);

    private RankQuestion Question => new() { Model = _model, Targets = [.. _model.Modules.Where(module => module.Site.Layer >= 0 || module.Site == Site.Head)] };

    [Theory]
    [InlineData(64, 8)]
    [InlineData(511, 8)]
    [InlineData(512, 64)]
    [InlineData(2047, 64)]
    [InlineData(2048, 128)]
    public void Width_Table_GivesTheRank(int width, int rank) => Assert.Equal(rank, WidthPolicy.RankFor(width));

    [Theory]
    [InlineData(256, 0, 32)]
    [InlineData(256, 0.5, 48)]
    [InlineData(576, 0.25, 80)]
    [InlineData(4096, 1, 128)]
    [InlineData(4, 0, 1)]
    public void WidthAndComplexity_Formula_GivesTheRank(int width, double complexity, int rank) =>
        Assert.Equal(rank, WidthAndComplexityPolicy.RankFor(width, complexity));

    [Theory]
    [InlineData(5_000_000, 4)]
    [InlineData(60_000_000, 8)]
    [InlineData(134_515_008, 16)]
    [InlineData(1_000_000_000, 16)]
    [InlineData(7_000_000_000, 32)]
    [InlineData(70_000_000_000, 64)]
    public void ParameterCount_Table_GivesTheRank(long parameters, int rank) => Assert.Equal(rank, ParameterCountPolicy.RankFor(parameters));

    [Theory]
    [InlineData(TaskKind.Classification, 8, 32)]
    [InlineData(TaskKind.Translation, 64, 128)]
    [InlineData(TaskKind.Code, 128, 256)]
    [InlineData(TaskKind.QuestionAnswering, 32, 64)]
    public void TaskKind_AnyDataSet_StaysWithinTheRangeOfTheKind(TaskKind kind, int least, int greatest)
    {
        RankQuestion wide = Question with { Targets = [.. Question.Targets.Select(target => target with { Inputs = 1000, Outputs = 1000 })], Task = kind };
        int RankAt(DataSetFacts? data) => new TaskKindPolicy().Choose(wide with { Data = data }).MaximumRank;

        Assert.Equal((least, greatest), TaskKindPolicy.RangeOf(kind));
        Assert.Equal(least, RankAt(null));
        Assert.Equal(least, RankAt(new DataSetFacts(10_000, 20_000, 10, 10)));
        Assert.Equal(greatest, RankAt(new DataSetFacts(10_000_000, 2_000_000_000, 10, 10)));
        Assert.Equal(5, RankAt(new DataSetFacts(5, 100, 5, 10)));
    }

    [Fact]
    public void TaskKind_UnknownKindWithFewAnswers_IsGuessedToBeClassification()
    {
        RankQuestion labels = Question with { Data = new DataSetFacts(1000, 2000, 4, 9) };

        Assert.Contains("guessed", new TaskKindPolicy().Choose(labels).Reason, StringComparison.Ordinal);
        Assert.NotNull(new TaskKindPolicy().Missing(Question));
        Assert.NotNull(new TaskKindPolicy().Missing(Question with { Data = new DataSetFacts(1000, 2000, 900, 9) }));
    }

    [Fact]
    public void WidthAndComplexity_WithoutDataSet_LacksIt()
    {
        var policy = new WidthAndComplexityPolicy();

        Assert.NotNull(policy.Missing(Question));
        Assert.Throws<ArgumentException>(() => policy.Choose(Question));
        Assert.Equal(12, new WidthAndComplexityPolicy(0.5).Choose(Question).MaximumRank);
        Assert.InRange(policy.Choose(Question with { Data = new DataSetFacts(100, 400, 50, 40) }).MaximumRank, 9, 15);
    }

    [Fact]
    public void LayerKind_Parts_HaveTheirOwnRanks()
    {
        RankPlan plan = new LayerKindPolicy(attention: 6, mlp: 3).Choose(Question);

        Assert.All(plan.Sites, site => Assert.Equal(
            site.Module.Site.Role switch { SiteRole.Gate or SiteRole.Up or SiteRole.Down => 3, SiteRole.Head => 2, _ => 6 }, site.Rank));
    }

    [Fact]
    public void Energy_EachMap_HasTheSmallestRankThatKeepsTheShare()
    {
        RankQuestion known = Question with { Spectra = Question.Targets.ToDictionary(target => target.Site, target => Falling(target.Site.Layer + 3)) };

        RankPlan plan = new EnergyPolicy(0.9).Choose(known);

        Assert.All(plan.Sites, site =>
        {
            Spectrum spectrum = known.Spectra![site.Module.Site];
            Assert.True(spectrum.Retained(site.Rank) >= 0.9 && spectrum.Retained(site.Rank - 1) < 0.9);
        });
        Assert.NotEqual(plan.MinimumRank, plan.MaximumRank);
        Assert.True(new EnergyPolicy(0.9, EnergyMeasure.SumOfSquares).Choose(known).ParameterCount < plan.ParameterCount);
    }

    [Fact]
    public void LayerKindEnergy_MapsOfAKind_ShareTheRankThatKeepsTheShareOfAll()
    {
        RankQuestion known = Question with
        {
            Spectra = Question.Targets.ToDictionary(target => target.Site, target => target.Site.Role.Kind() == LayerKind.Mlp ? new Spectrum([5, 5]) : new Spectrum([9, 1])),
        };

        RankPlan plan = new LayerKindEnergyPolicy(0.9).Choose(known);

        Assert.All(plan.Sites, site => Assert.Equal(site.Module.Site.Role.Kind() == LayerKind.Mlp ? 2 : 1, site.Rank));
    }

    [Fact]
    public void Energy_WithoutSingularValues_LacksThem()
    {
        IRankPolicy policy = new EnergyPolicy();

        Assert.True(policy.NeedsSpectra);
        Assert.NotNull(policy.Missing(Question));
        Assert.Throws<ArgumentException>(() => policy.Choose(Question));
    }

    [Fact]
    public void Plan_Cost_IsThatOfThePairs()
    {
        RankPlan plan = new FixedRankPolicy(3).Choose(Question);

        Assert.Equal(Question.Targets.Sum(target => 3L * (target.Inputs + target.Outputs)), plan.ParameterCount);
        Assert.Equal((4 * plan.ParameterCount, 8 * plan.ParameterCount), (plan.AdapterBytes, plan.OptimizerBytes));
        Assert.Equal(3 * Question.ParametersPerRank, plan.ParameterCount);
    }

    [Fact]
    public void Plan_Ranks_AreCappedByTheMapsAndByTheQuestion()
    {
        RankPlan plan = new FixedRankPolicy(1000).Choose(Question);

        Assert.All(plan.Sites, site => Assert.Equal(Math.Min(site.Module.Inputs, site.Module.Outputs), site.Rank));
        Assert.Equal(7, new FixedRankPolicy(1000).Choose(Question with { MaximumRank = 7 }).MaximumRank);
    }

    [Fact]
    public void Question_ParameterCountOfTheModel_IsThatOfTheFiles()
    {
        TransformerSpec spec = _model.Spec;
        long perLayer = spec.Linears.Sum(role =>
        {
            (int outputs, int inputs) = spec.Shape(role);
            return ((long)outputs * inputs) + (spec.Biases.Contains(role) ? outputs : 0);
        });

        Assert.Equal((spec.LayerCount * (perLayer + (2 * spec.Width))) + spec.Width + (2L * spec.VocabularySize * spec.Width), Question.Model.ParameterCount());
    }

    public void Dispose() => _model.Dispose();

    private static Spectrum Falling(int count) => new([.. Enumerable.Range(0, count).Select(k => 1.0 / (k + 1))]);
}
