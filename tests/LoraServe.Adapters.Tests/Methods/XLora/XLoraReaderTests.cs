using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods.XLora;

public sealed class XLoraReaderTests : IDisposable
{
    private const string Wrapped = "base_model.internal_xlora_classifier.";
    private const int Experts = 2;
    private readonly TemporaryDirectory _folder = new();
    private readonly PlainModel _model = AdapterBuilder.TinyBase;

    public static TheoryData<string> Cases => [.. SharedFiles.Cases(
        SharedFiles.TryGet($"{PeftCases.Root}/xlora") is { } folder
            ? Directory.GetDirectories(folder).Where(path => File.Exists(Path.Combine(path, "expected.safetensors"))).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            : [])];

    /// <summary>A field of the configuration and what it is set to, with what a refusal must say.</summary>
    public static TheoryData<string, string, string> Fields => new()
    {
        { "hidden_size", "7", "expected 8, the base's width" },
        { "hidden_size", "null", "'hidden_size' is 4096" },
        { "xlora_depth", "0", "at least 1" },
        { "xlora_depth", "2000000000", "expected at most 64" },
        { "xlora_depth", "3", "layers.2.weight' has shape" },
        { "xlora_size", "2000000000", "expected at most 65536" },
        { "xlora_size", "9", "xlora_size in the configuration" },
        { "xlora_dropout_p", "0.5", "layers.3.weight' is missing" },
        { "layerwise_scalings", "true", "at each of 2 modules" },
        { "softmax_temperature", "0", "above 0" },
        { "softmax_temperature", "1e99", "softmax_temperature" },
        { "top_k_lora", "0", "at least 1" },
        { "top_k_lora", "3", "expected at most 2" },
        { "scaling_pass_value", "\"x\"", "a finite number" },
        { "something_new", "1", "not known here" },
        { "adapters", "{}", "names no adapters" },
        { "adapters", "[]", "names no adapters" },
        { "adapters", "null", "names no adapters" },
        { "adapters", """{"0": "0", "first": "1"}""", "as PEFT numbers them" },
        { "adapters", """{"0": "0", "2": "1"}""", "expected 0 to 1" },
        { "adapters", """{"0": "0", "01": "1"}""", "expected 0 to 1" },
        { "adapters", """{"0": "0", "1": "1", "2": "none"}""", "there is no adapter there" },
        { "adapters", """{"0": "0", "1": "1", "2": 7}""", "a relative path without '..'" },
        { "adapters", """{"0": "0", "1": "1", "2": "../0"}""", "a relative path without '..'" },
        { "adapters", """{"0": "0", "1": "1", "2": "0/../../0"}""", "a relative path without '..'" },
        { "adapters", """{"0": "0", "1": "1", "2": "/etc"}""", "a relative path without '..'" },
        { "adapters", """{"0": "0", "1": "1", "2": ""}""", "a relative path without '..'" },
        { "adapters", """{"0": "0", "1": "1", "2": "."}""", "is an X-LoRA adapter, and one of those" },
    };

    /// <summary>A field of the configuration of one of its adapters, with what a refusal must say.</summary>
    public static TheoryData<string, string, string> InnerFields => new()
    {
        { "peft_type", "\"IA3\"", "peft_type is IA3; expected plain LoRA" },
        { "peft_type", "\"XLORA\"", "is an X-LoRA adapter, and one of those" },
        { "alora_invocation_tokens", "[1]", "it is aLoRA" },
        { "init_lora_weights", "\"pissa\"", "it is PiSSA" },
        { "use_dora", "true", "lora_magnitude_vector" },
        { "lora_bias", "true", "lora_B.bias" },
    };

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_CaseOfTheReference_GivesItsLogits(string name)
    {
        string directory = PeftCases.Require($"xlora/{name}");
        PlainModel model = PeftCases.BaseOf("llama/xlora");
        Adapter adapter = AdapterLoader.Load(directory, model);
        Assert.Equal(("X-LoRA", 4, 6), (adapter.Report.Method, adapter.Report.MinimumRank, adapter.Report.MaximumRank));
        GoldenLogits.Check(new PlainForward(model), Path.Combine(directory, "expected.safetensors"), greedy: false, stack: new PlainAdapter(adapter));
    }

    [Fact]
    public void Load_WithEveryField_MakesPairsAndTheirClassifier()
    {
        JsonObject config = Config();
        (config["softmax_temperature"], config["top_k_lora"], config["enable_softmax_topk"], config["global_scaling_weight"]) = (0.5, 1, true, 2.0);
        Write(config);
        Adapter adapter = Load();
        RoutedLowRank[] pairs = [.. adapter.Edits.OfType<RoutedLowRank>()];
        Assert.Equal([0, 1, 0, 1], pairs.Select(pair => pair.Scaling));
        Assert.All(pairs, pair => Assert.Equal(3, pair.Scale)); // alpha / r, twice
        ScalingClassifier classifier = Assert.Single(adapter.Edits.OfType<ScalingClassifier>());
        Assert.Equal((Experts, 1, 0.5f, 1, true, 0), (classifier.Experts, classifier.Places, classifier.Temperature, classifier.Most, classifier.NormalisesChosen, classifier.PassValue));
        Assert.Equal([(6, 8), (2, 6)], classifier.Layers.Select(layer => (layer.Weight.Rows, layer.Weight.Columns)));
    }

    [Fact]
    public void Load_WithoutSoftmaxAndWithAFirstPass_SaysSo()
    {
        JsonObject config = Config();
        (config["enable_softmax"], config["scaling_pass_value"]) = (false, 0.25);
        Write(config);
        ScalingClassifier classifier = Assert.Single(Load().Edits.OfType<ScalingClassifier>());
        Assert.Equal((null, 0.25f), (classifier.Temperature, classifier.PassValue));
    }

    [Fact]
    public void Load_ClassifierSavedByItself_IsTheSame()
    {
        Write(Config());
        Adapter wrapped = Load();
        Directory.Delete(_folder.Path, recursive: true);
        Directory.CreateDirectory(_folder.Path);
        Write(Config(), "", "classifier.safetensors");
        Assert.Equal(Weights(wrapped), Weights(Load()));

        static IEnumerable<float> Weights(Adapter adapter) => adapter.Edits.OfType<ScalingClassifier>().Single().Layers.SelectMany(layer => layer.Weight.Values.Concat(layer.Bias));
    }

    [Fact]
    public void Load_AdaptersBelowADirectoryAbove_AreFoundUnlessTheRootIsBelow()
    {
        JsonObject config = Config();
        config["adapters"] = new JsonObject { ["1"] = "inputs/b", ["0"] = "./inputs/a" };
        string own = Path.Combine(_folder.Path, "deep", "own");
        Write(config, directory: own, inner: [Path.Combine(_folder.Path, "inputs", "a"), Path.Combine(_folder.Path, "inputs", "b")]);
        string digest = AdapterLoader.Load(own, _model).Digest;
        Assert.Equal(digest, AdapterLoader.Load(own, _model, new AdapterLimits { Root = _folder.Path }).Digest);
        Assert.Equal(digest, AdapterLoader.DigestOf(own));
        Assert.Equal(6, AdapterLoader.FilesOf(own).Count);
        Assert.Equal(2, AdapterLoader.FilesOf(own, new AdapterLimits { Root = own }).Count);
        string refusal = Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(own, _model, new AdapterLimits { Root = Path.Combine(_folder.Path, "deep") })).Message;
        Assert.Contains("there is no adapter there", refusal, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(own, "1"), refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LinkOutOfTheRoot_IsRefused()
    {
        using var elsewhere = new TemporaryDirectory();
        Write(Config(), inner: [Path.Combine(_folder.Path, "0"), Path.Combine(elsewhere.Path, "1")]);
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "1"), Path.Combine(elsewhere.Path, "1"));
        Assert.NotEmpty(Load().Edits);
        string refusal = Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(_folder.Path, _model, new AdapterLimits { Root = _folder.Path })).Message;
        Assert.Contains("which a link takes out", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AdaptersWhoseSizesAddUpToMoreThanTheLimit_AreRefused()
    {
        Write(Config());
        long own = new FileInfo(Path.Combine(_folder.Path, "adapter_model.safetensors")).Length;
        long each = new FileInfo(Path.Combine(_folder.Path, "1", "adapter_model.safetensors")).Length;
        Assert.NotEmpty(AdapterLoader.Load(_folder.Path, _model, new AdapterLimits { MaximumFileBytes = own + (2 * each) }).Edits);
        Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(_folder.Path, _model, new AdapterLimits { MaximumFileBytes = own + (2 * each) - 1 }));
    }

    [Fact]
    public void Digest_OneOfItsAdaptersChanges_IsAnother()
    {
        Write(Config());
        string before = AdapterLoader.DigestOf(_folder.Path);
        string config = Path.Combine(_folder.Path, "1", "adapter_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"lora_alpha\":3", "\"lora_alpha\":4", StringComparison.Ordinal));
        Assert.NotEqual(before, AdapterLoader.DigestOf(_folder.Path));
        Assert.Equal(AdapterLoader.DigestOf(_folder.Path), Load().Digest);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void Load_FieldThatIsWrong_IsRefusedByName(string field, string value, string expected)
    {
        JsonObject config = Config();
        config[field] = JsonNode.Parse(value);
        Write(config);
        string refusal = Assert.Throws<AdapterFormatException>(Load).Message;
        Assert.Contains(expected, refusal, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(InnerFields))]
    public void Load_AdapterThatIsNoPlainLora_IsRefusedByName(string field, string value, string expected)
    {
        Write(Config());
        string path = Path.Combine(_folder.Path, "1", "adapter_config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());
        string refusal = Assert.Throws<AdapterFormatException>(Load).Message;
        Assert.Contains(expected, refusal, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "1"), refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FirstPassThatWouldChooseAmongEquals_IsRefused()
    {
        JsonObject config = Config();
        (config["scaling_pass_value"], config["top_k_lora"]) = (1.0, 1);
        Write(config);
        Assert.Contains("choose among 2 equal adapters", Assert.Throws<AdapterFormatException>(Load).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Load_ClassifierThatIsNotFinite_IsRefused(float value)
    {
        Write(Config(), bias: value);
        string refusal = Assert.Throws<AdapterFormatException>(Load).Message;
        Assert.Contains($"{Wrapped}layers.2.bias", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TensorsOfNoLayer_AreRefused()
    {
        JsonObject config = Config();
        config["xlora_depth"] = 1;
        config["xlora_size"] = 6;
        Write(config);
        Assert.Contains("layers.0.weight", Assert.Throws<AdapterFormatException>(Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_Merged_IsRefusedAndSaysWhy()
    {
        Write(Config());
        string refusal = Assert.Throws<MergeException>(() => MergedModel.Create(_model, Load())).Message;
        Assert.Contains("X-LoRA", refusal, StringComparison.Ordinal);
        Assert.Contains("a classifier that scales its changes for each token", refusal, StringComparison.Ordinal);
        Assert.Throws<MergeException>(() => AdapterCombination.Combine([new WeightedAdapter(Load(), 1)], _model, new CombinationOptions()));
    }

    [Fact]
    public void Load_Phi3_NumbersModulesAsItsClassRegistersThem()
    {
        using ModelWeights weights = TinyModel.Weights(
            1, spec: TinyModel.DefaultSpec with { Architecture = "phi3", Biases = [], Linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.GateUp, SiteRole.Down] });
        var model = new PlainModel(weights);
        JsonObject config = Config();
        (config["layerwise_scalings"], config["hidden_size"]) = (true, model.Width);
        BaseModule[] modules = [.. model.Modules.Where(module => module.Site.Role is SiteRole.QueryKeyValue or SiteRole.Output)];
        Write(config, on: model, names: [.. modules.Select(module => module.Name).Distinct()]);
        RoutedLowRank[] pairs = [.. AdapterLoader.Load(_folder.Path, model).Edits.OfType<RoutedLowRank>().Where(pair => pair.Scaling % Experts == 0)];
        Assert.Equal(
            [(0, SiteRole.Output), (0, SiteRole.QueryKeyValue), (1, SiteRole.Output), (1, SiteRole.QueryKeyValue)],
            pairs.OrderBy(pair => pair.Scaling).Select(pair => (pair.Site.Layer, pair.Site.Role)));
    }

    private static JsonObject Config() => new()
    {
        ["peft_type"] = "XLORA",
        ["hidden_size"] = AdapterBuilder.TinyBase.Width,
        ["xlora_depth"] = 2,
        ["xlora_size"] = 6,
        ["xlora_dropout_p"] = 0.0,
        ["adapters"] = new JsonObject { ["0"] = "/somewhere/first", ["1"] = "/somewhere/second" },
    };

    private Adapter Load() => AdapterLoader.Load(_folder.Path, _model);

    /// <summary>Writes an X-LoRA adapter with pairs of q_proj and v_proj, or other modules of another base.</summary>
    private void Write(
        JsonObject config,
        string prefix = Wrapped,
        string file = "adapter_model.safetensors",
        string? directory = null,
        string[]? inner = null,
        float bias = 0.1f,
        PlainModel? on = null,
        string[]? names = null)
    {
        directory ??= _folder.Path;
        inner ??= [Path.Combine(directory, "0"), Path.Combine(directory, "1")];
        PlainModel model = on ?? _model;
        names ??= ["q_proj", "v_proj"];
        for (int i = 0; i < inner.Length; i++)
        {
            using var made = new TemporaryDirectory();
            var builder = new AdapterBuilder();
            builder.Config["target_modules"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]);
            builder.AddPairs(model, 2, magnitude: false, names).Write(made);
            Directory.CreateDirectory(inner[i]);
            foreach (string each in Directory.GetFiles(made.Path))
            {
                File.Copy(each, Path.Combine(inner[i], Path.GetFileName(each)));
            }
        }

        Directory.CreateDirectory(directory);
        int places = on is null ? 1 : model.Modules.Count(module => names.Contains(module.Name));
        var random = new Random(3);
        SafetensorsFile.Write(
            Path.Combine(directory, file),
            [
                Tensor.FromFloats($"{prefix}layers.0.weight", Values(6 * model.Width), 6, model.Width),
                Tensor.FromFloats($"{prefix}layers.0.bias", Values(6), 6),
                Tensor.FromFloats($"{prefix}layers.2.weight", Values(places * Experts * 6), places * Experts, 6),
                Tensor.FromFloats($"{prefix}layers.2.bias", [.. Enumerable.Repeat(bias, places * Experts)], places * Experts),
            ]);
        File.WriteAllText(Path.Combine(directory, "adapter_config.json"), config.ToJsonString());

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
