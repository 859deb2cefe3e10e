using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Goldens;

/// <summary>
/// Checkpoints of the families that llama.cpp's converter writes, written here as it does (names, keys, orders of rows as in its
/// <c>convert_hf_to_gguf.py</c>): what they give is what transformers gives of the directory.
/// </summary>
public partial class GgufFamiliesTests
{
    private const float Tolerance = 1e-4f;

    // What GGUF has no key for (other patterns of windows, of layers without rope or experts) is not among the checkpoints.
    internal static string[] Folders { get; } =
        ["gemma", "granite", "olmo2", "qwen3", "mixtral", "phi3", "phi3-longrope", "phi4-mini", "gpt2", "gpt-neox", "gpt-neox-serial"];

    public static TheoryData<string> Checkpoints => [.. Folders];

    [SkippableTheory]
    [MemberData(nameof(Checkpoints))]
    public void Forward_AsGguf_GivesTheReferencesLogits(string name)
    {
        string folder = SharedFiles.Require($"fixtures/models/{name}");
        using var written = new TemporaryDirectory();
        string path = written.File("model.gguf");
        using (JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json"))))
        using (var weights = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors")))
        {
            new Converter(config.RootElement).Write(path, weights);
        }

        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using var golden = new Golden(Path.Combine(folder, "expected.safetensors"));
        using var harness = new ForwardHarness(model.Transformer);
        foreach (int i in golden.Indices(i => $"prompt_{i}.input_ids"))
        {
            float[][] logits = harness.Logits(golden.Ids($"prompt_{i}.input_ids"));
            Assert.InRange(Golden.LargestDifference(logits, golden.Floats($"prompt_{i}.logits")), 0, Tolerance);
        }
    }

    private sealed partial class Converter(JsonElement config)
    {
        private static readonly (string HuggingFace, string Gguf)[] s_names =
        [
            ("model.embed_tokens", "token_embd"), ("gpt_neox.embed_in", "token_embd"), ("transformer.wte", "token_embd"), ("transformer.wpe", "position_embd"),
            ("model.norm", "output_norm"), ("gpt_neox.final_layer_norm", "output_norm"), ("transformer.ln_f", "output_norm"), ("lm_head", "output"), ("embed_out", "output"),
            ("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm"), ("self_attn.qkv_proj", "attn_qkv"), ("attention.query_key_value", "attn_qkv"),
            ("attn.c_attn", "attn_qkv"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"),
            ("attention.dense", "attn_output"), ("attn.c_proj", "attn_output"), ("mlp.gate_up_proj", "ffn_up"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down"), ("mlp.c_fc", "ffn_up"), ("mlp.c_proj", "ffn_down"),
            ("block_sparse_moe.gate", "ffn_gate_inp"), ("input_layernorm", "attn_norm"), ("ln_1", "attn_norm"), ("ln_2", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm"),
        ];

        private readonly string _type = config.GetProperty("model_type").GetString()!;

        private string Architecture => _type switch { "mixtral" => "llama", "gpt_neox" => "gptneox", _ => _type };

        private int Heads => (int)Number("num_attention_heads", "n_head")!;

        public void Write(string path, SafetensorsFile weights)
        {
            List<TensorToWrite> tensors = [.. weights.Tensors.Where(tensor => !tensor.Key.Contains(".experts.", StringComparison.Ordinal)).Select(tensor => Converted(tensor.Key, tensor.Value))];
            tensors.AddRange(weights.Tensors.Where(tensor => tensor.Key.Contains(".experts.0.", StringComparison.Ordinal)).Select(first => Stacked(first.Key, weights)));
            List<GgufEntry> metadata = [GgufEntry.Of("general.architecture", Architecture), .. Metadata()];
            if (Rope("short_factor") is { } within && Rope("long_factor") is { } beyond)
            {
                tensors.Add(Tensor("rope_factors_short.weight", within, within.Length));
                tensors.Add(Tensor("rope_factors_long.weight", beyond, beyond.Length));
                metadata.Add(Key("rope.scaling.original_context_length", 32));
            }

            GgufWriter.Write(path, metadata, tensors);
        }

        private IEnumerable<GgufEntry> Metadata()
        {
            double width = Number("hidden_size", "n_embd")!.Value;
            double headSize = Number("head_dim") ?? width / Heads;
            double share = Number("rope_parameters.partial_rotary_factor", "partial_rotary_factor", "rotary_pct") ?? (_type == "gpt_neox" ? 0.25 : 1);
            yield return Key("context_length", Number("max_position_embeddings", "n_positions"));
            yield return Key("embedding_length", width);
            yield return Key("block_count", Number("num_hidden_layers", "n_layer"));
            yield return Key("feed_forward_length", Number("intermediate_size") ?? (4 * width));
            yield return Key("attention.head_count", Heads);
            yield return Key("attention.head_count_kv", Number("num_key_value_heads") ?? Heads);
            yield return Key("attention.key_length", headSize);
            yield return Key("attention.value_length", headSize);
            yield return Key("rope.dimension_count", (int)(headSize * share));
            yield return Real("rope.freq_base", Number("rope_parameters.rope_theta", "rope_theta", "rotary_emb_base") ?? 10_000);
            yield return Real(_type is "gpt2" or "gpt_neox" ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", Number("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon")!.Value);
            foreach ((string key, string field) in (IEnumerable<(string, string)>)[("expert_count", "num_local_experts"), ("expert_used_count", "num_experts_per_tok"), ("attention.sliding_window", "sliding_window")])
            {
                if (Number(field) is { } value)
                {
                    yield return Key(key, value);
                }
            }

            foreach ((string key, string field) in (IEnumerable<(string, string)>)
            [
                ("embedding_scale", "embedding_multiplier"), ("residual_scale", "residual_multiplier"), ("attention.scale", "attention_multiplier"), ("logit_scale", "logits_scaling"),
            ])
            {
                if (Number(field) is { } value)
                {
                    yield return Real(key, value);
                }
            }

            if (_type == "gpt_neox")
            {
                yield return GgufEntry.Of($"{Architecture}.use_parallel_residual", config.GetProperty("use_parallel_residual").GetBoolean());
            }
        }

        private TensorToWrite Converted(string name, Tensor tensor)
        {
            float[] values = tensor.ToFloats();
            long[] shape = [.. tensor.Shape];
            int columns = shape.Length > 1 ? (int)shape[1] : 1;
            if (_type == "gpt2" && shape.Length > 1 && name.Contains(".h.", StringComparison.Ordinal))
            {
                values = [.. Enumerable.Range(0, values.Length).Select(i => values[(i % (int)shape[0] * columns) + (i / (int)shape[0])])];
                shape = [shape[1], shape[0]];
            }
            else if (_type == "gemma" && name.EndsWith("norm.weight", StringComparison.Ordinal))
            {
                values = Array.ConvertAll(values, gain => 1 + gain);
            }
            else if (name.Contains("query_key_value", StringComparison.Ordinal))
            {
                int size = (int)shape[0] / (3 * Heads);
                values =
                [
                    .. from part in Enumerable.Range(0, 3)
                       from head in Enumerable.Range(0, Heads)
                       from row in Rows(values, ((head * 3) + part) * size, size, columns)
                       select row,
                ];
            }
            else if (Architecture is "llama" or "granite" && (name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("k_proj", StringComparison.Ordinal)))
            {
                int heads = name.Contains("q_proj", StringComparison.Ordinal) ? Heads : (int)(Number("num_key_value_heads") ?? Heads);
                int half = (int)shape[0] / heads / 2;
                values =
                [
                    .. from head in Enumerable.Range(0, heads)
                       from pair in Enumerable.Range(0, half)
                       from part in Enumerable.Range(0, 2)
                       from row in Rows(values, (((head * 2) + part) * half) + pair, 1, columns)
                       select row,
                ];
            }

            return Tensor(Renamed(name), values, shape);
        }

        private static IEnumerable<float> Rows(float[] values, int first, int count, int columns) => values.Skip(first * columns).Take(count * columns);

        private TensorToWrite Stacked(string first, SafetensorsFile weights)
        {
            Tensor[] experts = [.. Enumerable.Range(0, (int)Number("num_local_experts")!).Select(expert => weights.Tensors[first.Replace(".experts.0.", $".experts.{expert}.", StringComparison.Ordinal)])];
            string part = first.EndsWith("w1.weight", StringComparison.Ordinal) ? "ffn_gate_exps" : first.EndsWith("w2.weight", StringComparison.Ordinal) ? "ffn_down_exps" : "ffn_up_exps";
            return Tensor($"blk.{Layer().Match(first).Groups[1].Value}.{part}.weight", [.. experts.SelectMany(expert => expert.ToFloats())], experts.Length, experts[0].Shape[0], experts[0].Shape[1]);
        }

        private string Renamed(string name)
        {
            string renamed = Layer().Replace(name, "blk.$1.");
            renamed = renamed.Replace("post_attention_layernorm", _type == "olmo2" ? "post_attention_norm" : "ffn_norm", StringComparison.Ordinal);
            foreach ((string huggingFace, string gguf) in s_names)
            {
                renamed = renamed.Replace(huggingFace, gguf, StringComparison.Ordinal);
            }

            return renamed;
        }

        private static TensorToWrite Tensor(string name, float[] values, params long[] shape) =>
            new(name, ElementType.F32, [.. shape], stream => stream.Write(MemoryMarshal.AsBytes<float>(values)));

        private GgufEntry Key(string name, double? value) => GgufEntry.Of($"{Architecture}.{name}", (uint)value!.Value);

        private GgufEntry Real(string name, double value) => GgufEntry.Of($"{Architecture}.{name}", (float)value);

        private float[]? Rope(string field) => Find($"rope_parameters.{field}", $"rope_scaling.{field}") is { ValueKind: JsonValueKind.Array } divisors
            ? [.. divisors.EnumerateArray().Select(divisor => divisor.GetSingle())]
            : null;

        private double? Number(params string[] fields) => Find(fields) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

        private JsonElement? Find(params string[] fields)
        {
            foreach (string field in fields)
            {
                JsonElement at = config;
                if (field.Split('.').All(part => at.ValueKind == JsonValueKind.Object && at.TryGetProperty(part, out at)) && at.ValueKind != JsonValueKind.Null)
                {
                    return at;
                }
            }

            return null;
        }

        [GeneratedRegex(@"^(?:model\.layers|gpt_neox\.layers|transformer\.h)\.(\d+)\.")]
        private static partial Regex Layer();
    }
}
