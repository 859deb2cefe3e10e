using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Files;

namespace LoraServe.Serving.Store;

/// <summary>Reads an adapter, converts it and tries it, before there is a version of it. Used by one thread at a time.</summary>
internal sealed class AdapterTrial(Transformer model, LocalFiles files) : IDisposable
{
    private readonly AdapterProbe _probe = new(model);

    /// <summary>Gives both forms of the adapter and the largest change of a probe prompt's logits.</summary>
    /// <param name="name">What it is to be called.</param>
    /// <param name="path">Its files.</param>
    /// <param name="shown">What callers are told instead of the path.</param>
    /// <param name="budget">Most bytes that it may take in compute form.</param>
    /// <exception cref="EngineException">Its files are refused, or it is too large, does nothing, or makes what is no number.</exception>
    public (Adapter Parsed, ResidentAdapter Resident, double Change) Run(string name, string path, string shown, long budget)
    {
        AdapterLimits limits = files.LimitsOf(path);
        Adapter parsed = Read(name, path, shown, limits);
        ResidentAdapter resident = model.Place(parsed);
        try
        {
            long bytes = resident.ByteLength + resident.SharedParts.Sum(part => part.Bytes);
            if (bytes > budget)
            {
                throw new EngineException(EngineError.AdapterTooLarge, $"Adapter '{name}' takes {bytes} bytes in compute form, the budget is {budget}. Raise the budget.");
            }

            if (resident.VirtualRows >= model.Spec.ContextLength)
            {
                throw Refused(name, $"its {resident.VirtualRows} virtual tokens leave no room for a prompt in the model's context of {model.Spec.ContextLength}. Train one with fewer.");
            }

            double change = _probe.Run(parsed, resident);
            if (double.IsNaN(change))
            {
                throw Refused(name, "on a probe prompt it makes values that are not numbers. Train it again with a lower learning rate.");
            }

            return change > 0 || limits.AllowNoEffect
                ? (parsed, resident, change)
                : throw Refused(name, "it changes no logit of a probe prompt, so it would silently do nothing. Train it, or allow adapters without effect.");
        }
        catch
        {
            resident.Dispose();
            throw;
        }
    }

    public void Dispose() => _probe.Dispose();

    private static EngineException Refused(string name, string reason, Exception? inner = null) =>
        new(EngineError.AdapterRefused, $"Adapter '{name}' is refused: {reason}", inner);

    private Adapter Read(string name, string path, string shown, AdapterLimits limits)
    {
        try
        {
            return AdapterLoader.Load(path, model, limits);
        }
        catch (AdapterFormatException refusal)
        {
            throw Refused(name, LocalFiles.Told(refusal.Message, path, shown, limits), refusal);
        }
    }
}
