// Pages from the operating system, and how many are left.
#pragma once
#include <cstddef>

namespace fluxion::runtime {

constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Fresh zero pages, or null. From 4 MB on they are aligned to 2 MB and asked for as huge pages.
void* map_pages(std::size_t bytes) noexcept;
/// Pages with an inaccessible page before and after, or null; the address of the first accessible
/// one.
void* map_guarded_pages(std::size_t bytes) noexcept;
void unmap_pages(void* pages, std::size_t bytes) noexcept;
void unmap_guarded_pages(void* pages, std::size_t bytes) noexcept;

std::size_t page_size() noexcept;
/// What this process may still take without swapping: of the machine, or of its control group if
/// that is less.
std::size_t available_memory() noexcept;

}  // namespace fluxion::runtime
