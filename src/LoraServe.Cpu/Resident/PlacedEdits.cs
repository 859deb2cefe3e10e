using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Resident;

/// <summary>What a batch's adapters are on this device.</summary>
internal static class PlacedEdits
{
    extension(EditRun run)
    {
        /// <summary>The run's adapter in compute form.</summary>
        public CpuAdapter Edits => (CpuAdapter)run.Adapter;
    }

    extension(VirtualRow row)
    {
        /// <summary>The row's adapter in compute form.</summary>
        public CpuAdapter Edits => (CpuAdapter)row.Adapter;
    }
}
