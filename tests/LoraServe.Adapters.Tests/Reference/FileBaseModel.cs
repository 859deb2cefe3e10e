using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;
using LoraServe.Cpu.Resident;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>A small Llama or Qwen2 checkpoint in plain arrays.</summary>
internal sealed class FileBaseModel : IBaseModel
{
    private readonly Dictionary<string, float[]> _weights = new(StringComparer.Ordinal);
    private readonly Dictionary<Site, BaseModule> _bySite;
    private readonly Dictionary<NormSite, BaseNorm> _byNorm;

    private FileBaseModel(string directory)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "config.json")));
        JsonElement config = document.RootElement;
        Architecture = config.GetProperty("model_type").GetString()!;
        ModelClass = config.TryGetProperty("architectures", out JsonElement classes) ? classes[0].GetString() : null;
        Width = config.GetProperty("hidden_size").GetInt32();
        LayerCount = config.GetProperty("num_hidden_layers").GetInt32();
        VocabularySize = config.GetProperty("vocab_size").GetInt32();
        QueryHeads = config.GetProperty("num_attention_heads").GetInt32();
        KeyValueHeads = config.GetProperty("num_key_value_heads").GetInt32();
        HeadSize = config.TryGetProperty("head_dim", out JsonElement size) && size.ValueKind == JsonValueKind.Number ? size.GetInt32() : Width / QueryHeads;
        FeedForwardWidth = config.GetProperty("intermediate_size").GetInt32();
        NormEpsilon = config.GetProperty("rms_norm_eps").GetDouble();
        TiedHead = config.GetProperty("tie_word_embeddings").GetBoolean();
        RopeTheta = (config.TryGetProperty("rope_parameters", out JsonElement rope) ? rope : config).GetProperty("rope_theta").GetDouble();
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(directory, "model.safetensors"));
        foreach ((string name, var tensor) in file.Tensors)
        {
            _weights[name] = tensor.ToFloats();
        }

        Modules = [.. ListModules()];
        Norms = [.. ListNorms()];
        _bySite = Modules.ToDictionary(module => module.Site);
        _byNorm = Norms.ToDictionary(norm => norm.Site);
    }

    public string Architecture { get; }

    public string? ModelClass { get; }

    public IReadOnlyList<BaseModule> Modules { get; }

    public IReadOnlyList<BaseNorm> Norms { get; }

    public int LayerCount { get; }

    public int Width { get; }

    public int HeadSize { get; }

    public int QueryHeads { get; }

    public int KeyValueHeads { get; }

    public int FeedForwardWidth { get; }

    public int VocabularySize { get; }

    public double NormEpsilon { get; }

    public double RopeTheta { get; }

    public bool TiedHead { get; }

    public string Fingerprint => "reference";

    public static FileBaseModel Open(string directory) => new(directory);

    public BaseModule At(Site site) => _bySite[site];

    public void CopyWeightRow(Site site, int row, Span<float> destination)
    {
        BaseModule module = _bySite[site];
        string path = site == Site.Head && TiedHead ? _bySite[Site.Embedding].Path : module.Path;
        _weights[$"{path}.weight"].AsSpan(row * module.Inputs, module.Inputs).CopyTo(destination);
    }

    public void CopyBias(Site site, Span<float> destination)
    {
        destination.Clear();
        if (_weights.TryGetValue($"{_bySite[site].Path}.bias", out float[]? bias))
        {
            bias.CopyTo(destination);
        }
    }

    public void CopyNorm(NormSite site, Span<float> destination) => _weights[$"{_byNorm[site].Path}.weight"].CopyTo(destination);

    private IEnumerable<BaseModule> ListModules()
    {
        yield return Module("model.embed_tokens", Site.Embedding, VocabularySize, Width);
        int heads = QueryHeads * HeadSize;
        int shared = KeyValueHeads * HeadSize;
        for (int layer = 0; layer < LayerCount; layer++)
        {
            string path = $"model.layers.{layer}";
            yield return Module($"{path}.self_attn.q_proj", new Site(layer, SiteRole.Query), heads, Width);
            yield return Module($"{path}.self_attn.k_proj", new Site(layer, SiteRole.Key), shared, Width);
            yield return Module($"{path}.self_attn.v_proj", new Site(layer, SiteRole.Value), shared, Width);
            yield return Module($"{path}.self_attn.o_proj", new Site(layer, SiteRole.Output), Width, heads);
            yield return Module($"{path}.mlp.gate_proj", new Site(layer, SiteRole.Gate), FeedForwardWidth, Width);
            yield return Module($"{path}.mlp.up_proj", new Site(layer, SiteRole.Up), FeedForwardWidth, Width);
            yield return Module($"{path}.mlp.down_proj", new Site(layer, SiteRole.Down), Width, FeedForwardWidth);
        }

        yield return Module("lm_head", Site.Head, VocabularySize, Width);
    }

    /// <summary>An adapter as the processor's device has it.</summary>
    public CpuAdapter Place(Adapter adapter) => Place(adapter.Edits, adapter.Digest, [.. adapter.InvocationTokens]);

    /// <summary>Edits as the processor's device has them.</summary>
    public CpuAdapter Place(IReadOnlyList<AdapterEdit> edits, string digest = "", params int[] invocationTokens) =>
        new(edits, this, new SiteTable(LayerCount, [NormRole.Attention, NormRole.Mlp]), digest, invocationTokens);

    private BaseModule Module(string path, Site site, int outputs, int inputs) => new(path, site, outputs, inputs, _weights.ContainsKey($"{path}.bias"));

    private IEnumerable<BaseNorm> ListNorms()
    {
        for (int layer = 0; layer < LayerCount; layer++)
        {
            yield return new BaseNorm($"model.layers.{layer}.input_layernorm", new NormSite(layer, NormRole.Attention), Width);
            yield return new BaseNorm($"model.layers.{layer}.post_attention_layernorm", new NormSite(layer, NormRole.Mlp), Width);
        }

        yield return new BaseNorm("model.norm", NormSite.Final, Width);
    }
}
