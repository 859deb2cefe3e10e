using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Prompt;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Prefix;

/// <summary>Prefix tuning (Li and Liang 2021): keys and values of every layer ahead of the prompt.</summary>
internal static class PrefixReader
{
    private const string Kind = "prefix";

    /// <summary>Reads an adapter; a projection has been applied when it was saved.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) => Read("prefix tuning", fields, tensors, model);

    /// <summary>Reads a cartridge (Eyuboglu et al. 2025): a prefix, of which a first part was not trained.</summary>
    /// <inheritdoc cref="Read(ConfigFields, AdapterTensors, IBaseModel)"/>
    public static AdapterContent ReadCartridge(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        _ = FrozenTokens(fields);
        return Read("Cartridge", fields, tensors, model);
    }

    /// <summary>How many of the first rows are not trained.</summary>
    /// <exception cref="AdapterFormatException">More than there are.</exception>
    public static int FrozenTokens(ConfigFields fields)
    {
        const string Field = "num_frozen_tokens";
        int frozen = fields.Integer(Field, 0) ?? 1;
        int all = fields.Integer("num_virtual_tokens", 1) ?? int.MaxValue;
        return frozen <= all ? frozen : throw new AdapterFormatException($"{fields.File}: field '{Field}' is {frozen}; expected at most num_virtual_tokens, {all}. Correct the field or export the adapter again.");
    }

    private static AdapterContent Read(string name, ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        PromptConfig config = PromptConfig.Read(fields);
        int width = model.KeyWidth;
        int columns = checked(2 * width * model.LayerCount);
        FloatMatrix rows = tensors.Matrix(
            PromptReader.Rows,
            config.VirtualTokens,
            columns,
            $"num_virtual_tokens {config.VirtualTokens} in the configuration; {model.LayerCount} layers with keys and values of {width} elements in the base");
        tensors.RefuseWhatIsLeft();
        return new AdapterContent(name) { Placed = [.. model.AttentionPaths().Select((path, layer) => Place(rows, path, layer, width))] };
    }

    private static PlacedEdit Place(FloatMatrix rows, string attention, int layer, int width)
    {
        FloatMatrix keys = rows.ColumnsFrom(2 * layer * width, width);
        FloatMatrix values = rows.ColumnsFrom(((2 * layer) + 1) * width, width);
        return new PlacedEdit(new PrefixKeyValue(layer, keys, values), $"{attention}.{Kind}", Kind, double.Hypot(keys.Norm(), values.Norm()));
    }
}
