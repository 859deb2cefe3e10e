using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>Makes edits of an adapter's directory and of the adapters that it is made of.</summary>
/// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
internal delegate AdapterContent DirectoryReader(PeftAdapter adapter, IBaseModel model);
