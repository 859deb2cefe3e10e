using System.Text.Json.Nodes;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods;

public sealed class NewConfigTests
{
    private const string Hub = "BOTTLENECK";
    private static readonly string[] s_types =
    [
        "LORA", "ADALORA", "VERA", "IA3", "LN_TUNING", "TRAINABLE_TOKENS", "PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "ADAPTION_PROMPT", Hub,
        "LOHA", "LOKR", "VBLORA", "SHIRA", "MISS",
    ];

    /// <summary>Every directory that the libraries wrote, with these versions, of a method that can be written.</summary>
    public static TheoryData<string> Directories()
    {
        List<string> directories = [];
        foreach (string root in (string[])["fixtures/peft", "fixtures/training"])
        {
            if (SharedFiles.TryGet(root) is { } folder)
            {
                foreach (string config in Directory.EnumerateFiles(folder, "adapter_config.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                {
                    if (BaseName(config) is not null && IsCurrent(Read(config)))
                    {
                        directories.Add($"{root}/{Path.GetRelativePath(folder, Path.GetDirectoryName(config)!)}");
                    }
                }
            }
        }

        return [.. SharedFiles.Cases(directories)];
    }

    [SkippableTheory]
    [MemberData(nameof(Directories))]
    public void Create_SettingsOfADirectoryOfTheReference_GivesAllItsKeysAndTheSameFiles(string path)
    {
        string directory = SharedFiles.Require(path);
        JsonObject expected = Read(Path.Combine(directory, "adapter_config.json"));
        PlainModel model = PlainModel.Open(BaseName(Path.Combine(directory, "adapter_config.json"))!);
        string type = TypeOf(expected);
        JsonObject config = MethodTable.NewConfig(type, model, Settings(expected, MethodTable.NewConfig(type, model, [])));
        Assert.Equal(expected.Select(entry => entry.Key), config.Select(entry => entry.Key));
        AssertSame(expected, config);
        if (type == Hub)
        {
            Assert.Equal(expected["config"]!["scaling"]!.ToJsonString(), config["config"]!["scaling"]!.ToJsonString());
        }

        using var folder = new TemporaryDirectory();
        string name = type == Hub ? "adapter.safetensors" : "adapter_model.safetensors";
        using SafetensorsFile original = SafetensorsFile.Open(Path.Combine(directory, name));
        AdapterWriter.Write(folder.Path, config, original.Tensors.Values);
        AssertSame(expected, Read(Path.Combine(folder.Path, "adapter_config.json")));
        using SafetensorsFile written = SafetensorsFile.Open(Path.Combine(folder.Path, name));
        Assert.Equal(original.Metadata.Order(), written.Metadata.Order());
        Assert.Equal(original.Tensors.Keys.Order(StringComparer.Ordinal), written.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach ((string tensor, Tensor values) in original.Tensors)
        {
            Assert.Equal((values.Type, string.Join('x', values.Shape)), (written.Tensors[tensor].Type, string.Join('x', written.Tensors[tensor].Shape)));
            Assert.Equal(values.ToFloats(), written.Tensors[tensor].ToFloats());
        }

        // Those two are refused, which the golden tests of loading look at.
        if (config["layer_replication"] is null && config["config"]?["inv_adapter"] is null)
        {
            Assert.NotEmpty(AdapterLoader.Load(folder.Path, model, new AdapterLimits { AllowNoEffect = true }).Report.MatchedModules);
        }
    }

    [Fact]
    public void Create_WholeNumberWhereTheDefaultIsAFraction_StaysAFraction()
    {
        JsonObject config = MethodTable.NewConfig(Hub, AdapterBuilder.TinyBase, new JsonObject { ["scaling"] = 4.0, ["reduction_factor"] = 2 });
        Assert.Equal("4.0", config["config"]!["scaling"]!.ToJsonString());
        Assert.Equal("2", config["config"]!["reduction_factor"]!.ToJsonString());
    }

    [Fact]
    public void Create_UnknownTypeOrField_IsRefusedWithWhatThereIs()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        Assert.Contains("LORA", Assert.Throws<ArgumentException>(() => MethodTable.NewConfig("XLORA", model, [])).Message, StringComparison.Ordinal);
        Assert.Contains("lora_alpha", Assert.Throws<ArgumentException>(() => MethodTable.NewConfig("LORA", model, new JsonObject { ["alpha"] = 2 })).Message, StringComparison.Ordinal);
    }

    private static JsonObject Settings(JsonObject expected, JsonObject defaults)
    {
        var settings = new JsonObject();
        foreach ((string name, JsonNode? value) in expected.Concat(expected["config"] as JsonObject ?? []).Where(entry => entry.Key != "config"))
        {
            JsonNode? fallback = defaults["config"] is JsonObject inner && inner.ContainsKey(name) ? inner[name] : defaults[name];
            if (!JsonNode.DeepEquals(value, fallback))
            {
                settings[name] = value?.DeepClone();
            }
        }

        return settings;
    }

    private static void AssertSame(JsonObject expected, JsonObject actual)
    {
        foreach ((string name, JsonNode? value) in expected)
        {
            Assert.True(JsonNode.DeepEquals(value, actual[name]), $"{name}: {actual[name]?.ToJsonString()}, expected {value?.ToJsonString()}");
        }
    }

    private static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();

    private static string TypeOf(JsonObject config) => config["peft_type"]?.GetValue<string>() ?? Hub;

    // Two cases imitate what older versions wrote.
    private static bool IsCurrent(JsonObject config) =>
        s_types.Contains(TypeOf(config)) && (config.ContainsKey("peft_version") || config.ContainsKey("version")) && (TypeOf(config) != "LORA" || config.ContainsKey("use_bdlora"));

    // AdapterHub does not say what its base is, but of which kind.
    private static string? BaseName(string config)
    {
        string root = config[..(config.IndexOf($"{Path.DirectorySeparatorChar}fixtures{Path.DirectorySeparatorChar}", StringComparison.Ordinal) + 10)];
        string area = Path.Combine(root, Path.GetRelativePath(root, config).Split(Path.DirectorySeparatorChar)[0]);
        JsonObject fields = Read(config);
        string name = fields["base_model_name_or_path"]?.GetValue<string>() ?? $"bases/{fields["model_type"]}";
        string directory = Path.Combine(area, name);
        return name.EndsWith("gpt2", StringComparison.Ordinal) || !File.Exists(Path.Combine(directory, "config.json")) ? null : directory;
    }
}
